/** Runs one operation of a published package in a process of its own, as its user would, against a gateway. */

import { join } from "node:path"

import { conformanceClients } from "./conformance-clients.ts"
import type { SimulatedGateway } from "./simulated-gateway.ts"

const OPERATIONS = join(import.meta.dir, "../conformance/operations")

/** Returns what the operation printed. Rejects with its error output when it crashed. */
export async function runOperation(
  gateway: SimulatedGateway,
  script: string,
  ...words: readonly string[]
): Promise<unknown> {
  const child = Bun.spawn([process.execPath, join(OPERATIONS, script), ...words], {
    env: {
      PATH: "/usr/bin:/bin",
      HOME: gateway.folder,
      CLIENTS: await conformanceClients(),
      ORIGIN: gateway.url,
      KEY: gateway.key,
    },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`${script} ${words.join(" ")} crashed: ${err}`)
  return JSON.parse(out)
}
