/** Runs the real Claude Code headlessly against a gateway, in a home and a work folder of its own. */

import { join } from "node:path"

import { isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { conformanceClients } from "./conformance-clients.ts"
import { type ClientHome, freshHome, type HeadlessOptions, runHeadless } from "./headless-client.ts"
import type { SimulatedGateway } from "./simulated-gateway.ts"

/** What to run. `args` follow the prompt; `env` adds to an otherwise empty environment. */
export type ClaudeOptions = Partial<Pick<HeadlessOptions, "proxy" | "limitMs">> & {
  readonly prompt: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Absent = a fresh one. */
  readonly in?: ClientHome
}

/** One run: its `stream-json` lines, parsed, and the last of them. */
export type ClaudeRun = {
  readonly exitCode: number
  readonly events: readonly JsonObject[]
  readonly result: JsonObject
  /** What it said in the end. */
  readonly text: string
  readonly stderr: string
  readonly isLate: boolean
}

/** Makes a home nobody has used. */
export function claudeHome(gateway: SimulatedGateway): Promise<ClientHome> {
  return freshHome(gateway.folder, "claude")
}

/** Runs `claude -p` to its end. Everything but the gateway is switched off: no telemetry, no updates, no other host. */
export async function runClaude(gateway: SimulatedGateway, options: ClaudeOptions): Promise<ClaudeRun> {
  const clients = await conformanceClients()
  const command = [join(clients, "node_modules/.bin/claude"), "-p", options.prompt, ...(options.args ?? [])]
  const flags = ["--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions"]
  const { exitCode, stdout, stderr, isLate } = await runHeadless({
    ...options,
    command: [...command, ...flags],
    in: options.in ?? (await claudeHome(gateway)),
    env: {
      ANTHROPIC_BASE_URL: gateway.url,
      ANTHROPIC_AUTH_TOKEN: gateway.key,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
      DISABLE_ERROR_REPORTING: "1",
      CLAUDE_CODE_MAX_RETRIES: "2",
      // It refuses the flag above to the super user unless told that it is in a container.
      IS_SANDBOX: "1",
      ...options.env,
    },
  })
  const events = stdout.split("\n").flatMap(line => readLine(line))
  const result = events.findLast(event => event["type"] === "result") ?? {}
  return { exitCode, events, result, text: stringAt(result, "result") ?? "", stderr, isLate }
}

function readLine(line: string): readonly JsonObject[] {
  if (!line.startsWith("{")) return []
  const json: unknown = JSON.parse(line)
  return isJsonObject(json) ? [json] : []
}
