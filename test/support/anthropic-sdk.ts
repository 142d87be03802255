/** Runs one operation of the official Anthropic SDK in a process of its own. */

import { join } from "node:path"

import { conformanceClients } from "./conformance-clients.ts"
import type { SimulatedGateway } from "./simulated-gateway.ts"

/** Returns what the operation printed. `env` adds to what every operation gets. */
export async function runAnthropicSdk(
  gateway: SimulatedGateway,
  operation: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const script = join(import.meta.dir, "../conformance/operations/anthropic-sdk.mjs")
  const child = Bun.spawn([process.execPath, script, ...operation], {
    env: {
      PATH: "/usr/bin:/bin",
      HOME: gateway.folder,
      CLIENTS: await conformanceClients(),
      BASE: gateway.url,
      KEY: gateway.key,
      ...env,
    },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`${operation[0]} crashed: ${err}`)
  return JSON.parse(out)
}
