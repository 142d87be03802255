/** A client of the simulator for its own tests: correct requests, and a reader for what comes back. */

import type { JsonObject } from "#core/json.ts"
import { type Simulator, type SimulatorOptions, startSimulator } from "#simulator/simulator.ts"

/** A request that the simulator accepts as it stands. */
export const GOOD_BODY: JsonObject = {
  model: "gpt-5.6-terra",
  instructions: "",
  input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "What is 2 + 3?" }] }],
  store: false,
  stream: true,
}

/** A body whose only message says `text`. */
export function saying(text: string, extra: JsonObject = {}): JsonObject {
  return { ...GOOD_BODY, input: [{ type: "message", role: "user", content: [{ type: "input_text", text }] }], ...extra }
}

/** Starts a simulator, runs the body of a test and stops it. */
export async function withSimulator(
  run: (simulator: Simulator) => Promise<void>,
  options: SimulatorOptions = {},
): Promise<void> {
  const simulator = startSimulator(options)
  try {
    await run(simulator)
  } finally {
    await simulator.stop()
  }
}

/** Headers of a Codex client signed in as the account. */
export function headersFor(simulator: Simulator, name = "account-1"): Record<string, string> {
  const file = simulator.control.accountFile(name)
  return {
    authorization: `Bearer ${file.access_token}`,
    "chatgpt-account-id": file.account_id,
    originator: "codex_cli_rs",
    "user-agent": "codex_cli_rs/0.155.0 (Linux 6.1; x86_64) xterm",
    version: "0.155.0",
    "content-type": "application/json",
    accept: "text/event-stream",
  }
}

/** What may differ from a plain request. */
export type PostOptions = { readonly headers?: Record<string, string>; readonly account?: string }

/** Posts a model turn. */
export function postTurn(simulator: Simulator, body: JsonObject, options: PostOptions = {}): Promise<Response> {
  return fetch(`${simulator.url}/backend-api/codex/responses`, {
    method: "POST",
    headers: { ...headersFor(simulator, options.account), ...options.headers },
    body: JSON.stringify(body),
  })
}

/** Parses a whole event stream: LF or CRLF, comments skipped. */
export function parseEvents(text: string): readonly JsonObject[] {
  return text
    .replaceAll("\r\n", "\n")
    .split("\n\n")
    .flatMap(frame => {
      const data = frame.split("\n").filter(line => line.startsWith("data: "))
      return data.length === 0 ? [] : [JSON.parse(data.map(line => line.slice(6)).join("\n")) as JsonObject]
    })
}

/** Posts a turn and returns its events. */
export async function turnEvents(simulator: Simulator, body: JsonObject): Promise<readonly JsonObject[]> {
  const response = await postTurn(simulator, body)
  return parseEvents(await response.text())
}

/** The event types in order, repeated deltas folded into one. */
export function typesOf(events: readonly JsonObject[]): readonly string[] {
  const types = events.map(event => String(event["type"]))
  return types.filter((type, index) => type !== types[index - 1])
}
