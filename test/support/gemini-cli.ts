/** Runs the real Gemini CLI headlessly against a gateway, in a home and a work folder of its own. */

import { mkdir, mkdtemp } from "node:fs/promises"
import { join } from "node:path"

import { type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"

import { conformanceClients } from "./conformance-clients.ts"
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
}

/** Runs `gemini -p` to its end; every tool is allowed. */
export async function runGemini(gateway: SimulatedGateway, prompt: string, model: string): Promise<GeminiRun> {
  const home = await mkdtemp(join(gateway.folder, "gemini-"))
  const work = join(home, "work")
  await mkdir(work)
  await Bun.write(join(home, ".gemini/settings.json"), JSON.stringify(SETTINGS))
  const program = join(await conformanceClients(), "node_modules/.bin/gemini")
  const child = Bun.spawn([program, "-p", prompt, "-m", model, "--yolo", "--output-format", "json"], {
    cwd: work,
    env: {
      HOME: home,
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      GEMINI_API_KEY: gateway.key,
      GOOGLE_GEMINI_BASE_URL: gateway.url.replace(/\/$/, ""),
      GEMINI_CLI_TRUST_WORKSPACE: "true",
      GEMINI_CLI_NO_RELAUNCH: "true",
      NO_COLOR: "1",
      TERM: "dumb",
      CI: "1",
      // Whatever it should still want from elsewhere ends here.
      HTTPS_PROXY: "http://127.0.0.1:9",
      HTTP_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "127.0.0.1",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const report = parseJsonObject(out) ?? {}
  return { exitCode: await child.exited, report, text: stringAt(report, "response") ?? "", stderr }
}
