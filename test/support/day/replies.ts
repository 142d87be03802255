/** Upstream replies in the transport's form. */

import type { UpstreamReply } from "#core/upstream.ts"
import type { Refusal } from "#simulator/refusal.ts"

/** Puts a reply together. */
export function replyOf(
  status: number,
  headers: Record<string, string>,
  body: ReadableStream<Uint8Array>,
): UpstreamReply {
  return { status, headers: new Headers(headers), body }
}

/** A reply whose body is a JSON value. */
export function jsonReply(status: number, body: object): UpstreamReply {
  return replyOf(status, { "content-type": "application/json" }, bodyOfText(JSON.stringify(body)))
}

/** A refusal as a reply; `more` headers come first, the refusal's own win. */
export function refusalReply(refusal: Refusal, more: Readonly<Record<string, string>> = {}): UpstreamReply {
  const headers = { ...more, "content-type": refusal.contentType, ...refusal.headers }
  return replyOf(refusal.status, headers, bodyOfText(refusal.body))
}

function bodyOfText(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: controller => {
      if (text !== "") controller.enqueue(new TextEncoder().encode(text))
      controller.close()
    },
  })
}
