/** What can go wrong upstream, as bytes: refusals and failed streams as the simulator gives them, and broken connections. */

import { Buffer } from "node:buffer"

import { type AnswerScript, chunked, LAST_CHUNK, RESPONSE_HEAD } from "./answer-script.ts"

/** One way to fail a turn. */
export type Fault = {
  readonly name: string
  readonly bytes: Buffer
  /** The connection is closed behind the bytes. */
  readonly closes: boolean
}

/** The simulator's scenarios that fail before any output, which a gateway can mend unseen. */
const SCENARIOS = ["server-error", "overload-in-stream", "overloaded"]

/** Asks a simulator for each failure; `cut-in-answer` is the one that reaches the client, because output went before it. */
export async function recordFaults(
  url: string,
  headers: Readonly<Record<string, string>>,
  script: AnswerScript,
): Promise<readonly Fault[]> {
  const recorded = SCENARIOS.map(async (name): Promise<Fault> => {
    const input = [
      { type: "message", role: "user", content: [{ type: "input_text", text: `[[simulate: ${name}]] go` }] },
    ]
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model: "gpt-5.5", instructions: "", input, store: false, stream: true }),
    })
    const body = await response.text()
    if (response.ok) {
      return {
        name,
        bytes: Buffer.concat([Buffer.from(RESPONSE_HEAD), chunked(body), LAST_CHUNK]),
        closes: false,
      }
    }
    const type = response.headers.get("content-type") ?? "application/json"
    const head = `HTTP/1.1 ${response.status} -\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`
    return { name, bytes: Buffer.from(head + body), closes: false }
  })
  return [
    ...(await Promise.all(recorded)),
    { name: "cut-before-output", bytes: script.opening(), closes: true },
    { name: "cut-in-answer", bytes: Buffer.concat([script.head(), script.delta(0, 0).bytes]), closes: true },
  ]
}
