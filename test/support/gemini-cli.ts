/** Runs the real Gemini CLI headlessly against a gateway, in a home and a work folder of its own. */

import { join } from "node:path"

import { type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"

import { conformanceClients } from "./conformance-clients.ts"
import { type ClientHome, freshHome, type HeadlessOptions, runHeadless } from "./headless-client.ts"
import type { SimulatedGateway } from "./simulated-gateway.ts"

/** Nothing is asked, updated or reported. */
const SETTINGS = {
  security: { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } },
  general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
}

/** One run: its JSON report, and what it said in the end. */
export type GeminiRun = {
  readonly exitCode: number
  readonly report: JsonObject
  readonly text: string
  readonly stderr: string
  readonly isLate: boolean
}

/** What can be chosen beside prompt and model. */
export type GeminiOptions = Partial<Pick<HeadlessOptions, "proxy" | "limitMs">> & {
  readonly args?: readonly string[]
  readonly mcpServers?: JsonObject
  /** Absent = a fresh one. */
  readonly in?: ClientHome
}

/** Runs `gemini -p` to its end; every tool is allowed. */
export async function runGemini(
  gateway: SimulatedGateway,
  prompt: string,
  model: string,
  options: GeminiOptions = {},
): Promise<GeminiRun> {
  const place = options.in ?? (await freshHome(gateway.folder, "gemini"))
  const settings = { ...SETTINGS, mcpServers: options.mcpServers ?? {} }
  await Bun.write(join(place.home, ".gemini/settings.json"), JSON.stringify(settings))
  const program = join(await conformanceClients(), "node_modules/.bin/gemini")
  const flags = ["-m", model, "--yolo", "--output-format", "json", ...(options.args ?? [])]
  const { exitCode, stdout, stderr, isLate } = await runHeadless({
    ...options,
    command: [program, "-p", prompt, ...flags],
    in: place,
    env: {
      GEMINI_API_KEY: gateway.key,
      GOOGLE_GEMINI_BASE_URL: gateway.url.replace(/\/$/, ""),
      GEMINI_CLI_TRUST_WORKSPACE: "true",
      GEMINI_CLI_NO_RELAUNCH: "true",
    },
  })
  const report = parseJsonObject(stdout) ?? {}
  return { exitCode, report, text: stringAt(report, "response") ?? "", stderr, isLate }
}
