/** The simulator in a process of its own, steered over its control endpoint: what dies beside it does not touch it. */

import { isJsonObject, type JsonObject } from "#core/json.ts"

import { compiledBinary } from "./binary.ts"

/** A running simulator. */
export type SimulatorProcess = {
  readonly url: string
  /** Carries out one action and returns its result. Throws with the simulator's own words. */
  readonly control: (action: string, body?: JsonObject) => Promise<unknown>
  readonly stop: () => Promise<void>
  /** Ends it at once, for whoever has no time to wait. */
  readonly kill: () => void
}

/** Starts `sluice simulate` on a free port; it writes its accounts' files into `authDir`. */
export async function startSimulatorProcess(options: {
  readonly accounts: number
  readonly authDir: string
  readonly cwd: string
}): Promise<SimulatorProcess> {
  const flags = ["--port", "0", "--accounts", `${options.accounts}`, "--auth-dir", options.authDir, "--json"]
  const child = Bun.spawn([await compiledBinary(), "simulate", ...flags], {
    cwd: options.cwd,
    env: { HOME: options.cwd, PATH: "/usr/bin:/bin" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  })
  const url = await readUrl(child.stdout)
  return {
    url,
    control: async (action, body = {}) => {
      const response = await fetch(`${url}/__control`, { method: "POST", body: JSON.stringify({ action, ...body }) })
      const answer: unknown = await response.json()
      if (!response.ok || !isJsonObject(answer)) throw new Error(`${action}: ${JSON.stringify(answer)}`)
      return answer["result"]
    },
    stop: async () => {
      child.kill("SIGTERM")
      await child.exited
    },
    kill: () => child.kill("SIGKILL"),
  }
}

/** The first line it prints is one JSON object. */
async function readUrl(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stdout.getReader()
  const decoder = new TextDecoder()
  let said = ""
  while (!said.includes("\n")) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`the simulator ended at once: ${said}`)
    said += decoder.decode(value, { stream: true })
  }
  const facts: unknown = JSON.parse(said)
  if (!isJsonObject(facts) || typeof facts["url"] !== "string") throw new Error(`not a start line: ${said}`)
  return facts["url"]
}
