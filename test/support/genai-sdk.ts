/** Runs one operation of the official @google/genai package in a process of its own. */

import { join } from "node:path"

import { conformanceClients } from "./conformance-clients.ts"
import type { SimulatedGateway } from "./simulated-gateway.ts"

/** Returns what the operation printed. */
export async function runGenaiSdk(gateway: SimulatedGateway, operation: readonly string[]): Promise<unknown> {
  const script = join(import.meta.dir, "../conformance/operations/genai-sdk.mjs")
  const child = Bun.spawn([process.execPath, script, ...operation], {
    env: {
      PATH: "/usr/bin:/bin",
      HOME: gateway.folder,
      CLIENTS: await conformanceClients(),
      BASE: gateway.url,
      KEY: gateway.key,
    },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`${operation[0]} crashed: ${err}`)
  return JSON.parse(out)
}
