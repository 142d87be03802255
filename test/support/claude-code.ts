/** Runs the real Claude Code headlessly against a gateway, in a home and a work folder of its own. */

import { mkdir, mkdtemp } from "node:fs/promises"
import { join } from "node:path"

import { isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { conformanceClients } from "./conformance-clients.ts"
import type { SimulatedGateway } from "./simulated-gateway.ts"

/** Where runs of one user keep what they remember. */
export type ClaudeHome = { readonly home: string; readonly work: string }

/** What to run. `args` follow the prompt; `env` adds to an otherwise empty environment. */
export type ClaudeOptions = {
  readonly prompt: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Absent = a fresh one. */
  readonly in?: ClaudeHome
}

/** One run: its `stream-json` lines, parsed, and the last of them. */
export type ClaudeRun = {
  readonly exitCode: number
  readonly events: readonly JsonObject[]
  readonly result: JsonObject
  /** What it said in the end. */
  readonly text: string
  readonly stderr: string
}

/** Makes a home nobody has used. */
export async function claudeHome(gateway: SimulatedGateway): Promise<ClaudeHome> {
  const home = await mkdtemp(join(gateway.folder, "claude-"))
  const work = join(home, "work")
  await mkdir(work)
  return { home, work }
}

/** Runs `claude -p` to its end. Everything but the gateway is switched off: no telemetry, no updates, no other host. */
export async function runClaude(gateway: SimulatedGateway, options: ClaudeOptions): Promise<ClaudeRun> {
  const { home, work } = options.in ?? (await claudeHome(gateway))
  const clients = await conformanceClients()
  const command = [join(clients, "node_modules/.bin/claude"), "-p", options.prompt, ...(options.args ?? [])]
  const flags = ["--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions"]
  const child = Bun.spawn([...command, ...flags], {
    cwd: work,
    env: {
      HOME: home,
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      ANTHROPIC_BASE_URL: gateway.url,
      ANTHROPIC_AUTH_TOKEN: gateway.key,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
      DISABLE_ERROR_REPORTING: "1",
      CLAUDE_CODE_MAX_RETRIES: "2",
      // It refuses the flag above to the super user unless told that it is in a container.
      IS_SANDBOX: "1",
      NO_COLOR: "1",
      TERM: "dumb",
      CI: "1",
      // Whatever it should still want from elsewhere ends here.
      HTTPS_PROXY: "http://127.0.0.1:9",
      HTTP_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "127.0.0.1",
      ...options.env,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const events = out.split("\n").flatMap(line => readLine(line))
  const result = events.findLast(event => event["type"] === "result") ?? {}
  return { exitCode: await child.exited, events, result, text: stringAt(result, "result") ?? "", stderr }
}

function readLine(line: string): readonly JsonObject[] {
  if (!line.startsWith("{")) return []
  const json: unknown = JSON.parse(line)
  return isJsonObject(json) ? [json] : []
}
