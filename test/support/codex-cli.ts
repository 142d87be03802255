/** Runs the real Codex CLI headlessly against a gateway, in a home and a work folder of its own. */

import { mkdir, mkdtemp } from "node:fs/promises"
import { join } from "node:path"

import { conformanceClients } from "./conformance-clients.ts"
import type { SimulatedGateway } from "./simulated-gateway.ts"

/** One run: what it printed and where it worked. */
export type CodexRun = {
  readonly exitCode: number
  /** Its `--json` lines, parsed. */
  readonly events: readonly { readonly type: string; readonly item?: Readonly<Record<string, unknown>> }[]
  readonly stderr: string
  readonly workFolder: string
}

/** What to run. `mcpServer` is the path of an MCP server script that Bun runs; it is named `probe`. */
export type CodexOptions = {
  readonly model: string
  readonly prompt: string
  readonly mcpServer?: string
  readonly webSockets?: true
}

/** Runs `codex exec` to its end. */
export async function runCodex(gateway: SimulatedGateway, options: CodexOptions): Promise<CodexRun> {
  const clients = await conformanceClients()
  const home = await mkdtemp(join(gateway.folder, "codex-"))
  const workFolder = join(home, "work")
  await mkdir(workFolder)
  await Bun.write(join(home, ".codex/config.toml"), configText(gateway, options))
  const command = [join(clients, "node_modules/.bin/codex"), "exec", "--json", "--skip-git-repo-check"]
  const child = Bun.spawn([...command, "--dangerously-bypass-approvals-and-sandbox", options.prompt], {
    cwd: workFolder,
    env: {
      HOME: home,
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      GW_KEY: gateway.key,
      NO_COLOR: "1",
      TERM: "dumb",
      CI: "1",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  const events = out.split("\n").flatMap(line => (line.startsWith("{") ? [JSON.parse(line)] : []))
  return { exitCode: await child.exited, events, stderr, workFolder }
}

function configText(gateway: SimulatedGateway, { model, mcpServer, webSockets }: CodexOptions): string {
  const mcp =
    mcpServer === undefined ? "" : `[mcp_servers.probe]\ncommand = "${process.execPath}"\nargs = ["${mcpServer}"]\n`
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
