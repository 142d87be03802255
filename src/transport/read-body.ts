/** Reads an error body without trusting its size or its speed. */

import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"

/** Error bodies beyond this are cut: 1 MiB. */
const MAX_ERROR_BODY_BYTES = 1024 * 1024

/** Limits of one read. */
export type ReadBodyOptions = {
  readonly timers: Timers
  /** Total time for the whole body, ms. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
  /** Default {@link MAX_ERROR_BODY_BYTES}. */
  readonly maxBytes?: number
}

/** What could be read. `complete` is false when the cap, the deadline or a broken connection cut it. */
export type ReadBody = { readonly text: string; readonly complete: boolean }

/**
 * Reads `body` as UTF-8. What the cap, the deadline or a reset cut short is returned, not thrown: the status line has
 * said the essential already and the beginning usually names the code. Throws `cancelled`, or the signal's own
 * `GatewayError`, when the caller aborts. The connection is given back or closed either way.
 */
export async function readBody(
  body: ReadableStream<Uint8Array> | undefined,
  options: ReadBodyOptions,
): Promise<ReadBody> {
  if (body === undefined) return { text: "", complete: true }
  const { signal } = options
  const stop = Promise.withResolvers<undefined>()
  const halt = () => stop.resolve(undefined)
  const cancelTimer = options.timers.after(options.deadlineMs, halt)
  signal.addEventListener("abort", halt, { once: true })
  if (signal.aborted) halt()
  try {
    const read = await collect(body.getReader(), stop.promise, options.maxBytes ?? MAX_ERROR_BODY_BYTES)
    if (signal.aborted) throw abortError(signal)
    return read
  } finally {
    cancelTimer()
    signal.removeEventListener("abort", halt)
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  stop: Promise<undefined>,
  maxBytes: number,
): Promise<ReadBody> {
  const chunks: Uint8Array[] = []
  let leftBytes = maxBytes
  for (;;) {
    const chunk = await Promise.race([nextChunk(reader), stop])
    if (chunk === "end") return { text: textOf(chunks), complete: true }
    if (chunk !== undefined) {
      chunks.push(chunk.subarray(0, leftBytes))
      leftBytes -= chunk.byteLength
    }
    if (chunk === undefined || leftBytes < 0) {
      await giveUp(reader)
      return { text: textOf(chunks), complete: false }
    }
  }
}

function textOf(chunks: readonly Uint8Array[]): string {
  return new TextDecoder().decode(Buffer.concat(chunks))
}

/** Undefined = the connection broke. */
async function nextChunk(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | "end" | undefined> {
  try {
    const { done, value } = await reader.read()
    return done ? "end" : value
  } catch {
    // A reset in the middle of an error body changes nothing: what came before it is used.
    return undefined
  }
}

async function giveUp(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    await reader.cancel()
  } catch {
    // The stream has failed already; there is nothing left to free.
  }
}

function abortError(signal: AbortSignal): GatewayError {
  if (signal.reason instanceof GatewayError) return signal.reason
  return new GatewayError("cancelled", "The client went away.")
}
