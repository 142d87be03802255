/** Runs the real Codex CLI headlessly against a gateway, in a home and a work folder of its own. */

import { join } from "node:path"

import { conformanceClients } from "./conformance-clients.ts"
import { type ClientHome, freshHome, type HeadlessOptions, runHeadless } from "./headless-client.ts"
import type { SimulatedGateway } from "./simulated-gateway.ts"

/** One run: what it printed and where it worked. */
export type CodexRun = {
  readonly exitCode: number
  /** Its `--json` lines, parsed. */
  readonly events: readonly { readonly type: string; readonly item?: Readonly<Record<string, unknown>> }[]
  readonly stderr: string
  readonly workFolder: string
  readonly isLate: boolean
}

/** What to run. `mcpServer` is the path of an MCP server script that Bun runs; it is named `probe`. */
export type CodexOptions = Partial<Pick<HeadlessOptions, "proxy" | "limitMs">> & {
  readonly model: string
  readonly prompt: string
  readonly mcpServer?: string
  readonly mcpArguments?: readonly string[]
  readonly webSockets?: true
  /** Flags before the prompt, and a subcommand such as `resume --last`. */
  readonly args?: readonly string[]
  /** Absent = a fresh one. */
  readonly in?: ClientHome
}

/** Runs `codex exec` to its end. */
export async function runCodex(gateway: SimulatedGateway, options: CodexOptions): Promise<CodexRun> {
  const clients = await conformanceClients()
  const place = options.in ?? (await freshHome(gateway.folder, "codex"))
  await Bun.write(join(place.home, ".codex/config.toml"), configText(gateway, options))
  const command = [join(clients, "node_modules/.bin/codex"), "exec", "--json", "--skip-git-repo-check"]
  const { exitCode, stdout, stderr, isLate } = await runHeadless({
    ...options,
    command: [...command, "--dangerously-bypass-approvals-and-sandbox", ...(options.args ?? []), options.prompt],
    in: place,
    env: { GW_KEY: gateway.key },
  })
  const events = stdout.split("\n").flatMap(line => (line.startsWith("{") ? [JSON.parse(line)] : []))
  return { exitCode, events, stderr, workFolder: place.work, isLate }
}

function configText(gateway: SimulatedGateway, options: CodexOptions): string {
  const { model, mcpServer, mcpArguments = [], webSockets } = options
  const mcp =
    mcpServer === undefined
      ? ""
      : `[mcp_servers.probe]\ncommand = "${process.execPath}"\nargs = ${JSON.stringify([mcpServer, ...mcpArguments])}\n`
  return `model = "${model}"
model_provider = "gw"
check_for_update_on_startup = false
[model_providers.gw]
name = "gw"
base_url = "${gateway.url}/v1"
env_key = "GW_KEY"
wire_api = "responses"
${webSockets === true ? "supports_websockets = true" : ""}
request_max_retries = 1
stream_max_retries = 1
[analytics]
enabled = false
[features]
plugins = false
apps = false
${mcp}`
}
