/** Runs one operation of a published client of Ollama in a process of its own. */

import { join } from "node:path"

import { conformanceClients } from "./conformance-clients.ts"

/** Which client, where the port is, and a folder that is thrown away. */
export type OllamaClient = {
  readonly script: "ollama" | "langchain-ollama" | "ai-ollama"
  readonly base: string
  readonly home: string
}

/** Returns what the operation printed. */
export async function runOllamaClient(client: OllamaClient, operation: readonly string[]): Promise<unknown> {
  const script = join(import.meta.dir, `../conformance/operations/${client.script}.mjs`)
  const child = Bun.spawn([process.execPath, script, ...operation], {
    env: { PATH: "/usr/bin:/bin", HOME: client.home, CLIENTS: await conformanceClients(), BASE: client.base },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(`${operation[0]} crashed: ${err}`)
  return JSON.parse(out)
}
