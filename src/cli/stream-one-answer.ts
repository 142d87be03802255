/** Asks a gateway one question and passes the answer on as it streams. */

import { GatewayError } from "#core/errors.ts"

/** What to ask, and of whom. */
export type Question = {
  readonly origin: string
  readonly key: string
  readonly model: string
  readonly text: string
  readonly signal: AbortSignal
}

/** Asks over Chat Completions and calls `write` for each piece of text. Rejects with `upstream-protocol` on a failure. */
export async function streamOneAnswer(question: Question, write: (piece: string) => void): Promise<void> {
  const response = await fetch(`${question.origin}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${question.key}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: question.model,
      stream: true,
      messages: [{ role: "user", content: question.text }],
    }),
    signal: question.signal,
  })
  if (!response.ok || response.body === null) {
    throw new GatewayError("upstream-protocol", `The gateway answered ${response.status}: ${await response.text()}`)
  }
  let rest = ""
  const decoder = new TextDecoder()
  for await (const chunk of response.body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) write(pieceOf(line))
  }
}

function pieceOf(line: string): string {
  if (!line.startsWith("data: {")) return ""
  const chunk: { choices?: { delta?: { content?: string } }[]; error?: { message?: string } } = JSON.parse(
    line.slice(6),
  )
  if (chunk.error !== undefined)
    throw new GatewayError("upstream-protocol", `The answer failed: ${chunk.error.message}`)
  return chunk.choices?.[0]?.delta?.content ?? ""
}
