/** Bytes to text and back, in the two forms the lanes use: UTF-8 text and byte text. */

import { Buffer } from "node:buffer"

/** What a pipe returns when nothing is ready; shared, never written to. */
const EMPTY_BYTES: Uint8Array = new Uint8Array(0)

const utf8Encoder = new TextEncoder()

/** Encodes text as UTF-8. */
export function encodeUtf8(text: string): Uint8Array {
  return text === "" ? EMPTY_BYTES : utf8Encoder.encode(text)
}

/**
 * A string whose code units are bytes (0–255). Every structural character of SSE and JSON is ASCII, so frames and
 * members can be found and spliced in it with native string search, while UTF-8 sequences pass through untouched.
 */
export function byteTextOf(chunk: Uint8Array): string {
  // Borrowed, not wrapped: asking a chunk for its `buffer` costs three times what reading it does.
  return Buffer.prototype.toString.call(chunk, "latin1")
}

/** The bytes a byte text stands for. */
export function bytesOfByteText(text: string): Uint8Array {
  return text === "" ? EMPTY_BYTES : Buffer.from(text, "latin1")
}

/** Reads a byte text as the UTF-8 it holds; malformed sequences become U+FFFD. */
export function utf8OfByteText(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8")
}

/** The byte text of a string's UTF-8 form. */
export function byteTextOfUtf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1")
}
