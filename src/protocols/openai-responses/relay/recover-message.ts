/** Rebuilds a message from its deltas when the upstream never sent the finished item. */

import { parseJsonObject, stringAt } from "#core/json.ts"
import { byteTextOfUtf8, utf8OfByteText } from "#wire/bytes.ts"
import { makeSseSplitter, type OnSseFrame, readSseFrame } from "#wire/sse-splitter.ts"

/** How the message is to be written. */
export type RecoverParts = { readonly fallbackId: string; readonly status: "completed" | "incomplete" }

/** Reads sent frames (byte text) and returns the message item as byte text, or undefined when there was no text. */
export function recoverMessage(frames: string, { fallbackId, status }: RecoverParts): string | undefined {
  let text = ""
  let id: string | undefined
  const onFrame: OnSseFrame = (source, start, end) => {
    const event = parseJsonObject(utf8OfByteText(readSseFrame(source.slice(start, end)).data))
    if (event?.["type"] !== "response.output_text.delta") return
    text += stringAt(event, "delta") ?? ""
    id ??= stringAt(event, "item_id")
  }
  makeSseSplitter({ onFrame }).push(frames)
  if (text === "") return undefined
  const content = [{ type: "output_text", text, annotations: [], logprobs: [] }]
  return byteTextOfUtf8(JSON.stringify({ id: id ?? fallbackId, type: "message", status, role: "assistant", content }))
}
