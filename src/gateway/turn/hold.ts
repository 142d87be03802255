/** Holds the head of an answer until it is known to be output, so that a failure inside a 200 is still a failure. */

import type { ProbeResult, StreamProbe } from "#protocols/protocol.ts"

/** The reader of an upstream body and what it has given so far. */
export type HeldHead = {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  /** Chunks read while holding, in order, to be fed to the client's pipe first. */
  readonly chunks: readonly Uint8Array[]
  readonly result: Exclude<ProbeResult, { type: "hold" }>
}

/**
 * Reads `body` until `probe` has made up its mind; `heard` is called for every chunk. Rejects with the transport's error
 * when the body breaks off; the reader is cancelled then.
 */
export async function holdHead(
  body: ReadableStream<Uint8Array>,
  probe: StreamProbe,
  heard: () => void = () => {},
): Promise<HeldHead> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  for (;;) {
    const { done, value } = await reader.read()
    if (!done) heard()
    const result = await judge(reader, () => (done ? probe.end() : probe.feed(value)))
    if (!done) chunks.push(value)
    if (result.type !== "hold") return { reader, chunks, result }
    // A probe that still holds at the end of the body would loop for ever: its contract says it never does.
    if (done) return { reader, chunks, result: { type: "failure", failure: brokenHead() } }
  }
}

/** A probe that throws (a frame over the bound) leaves nobody to read on. */
async function judge(reader: ReadableStreamDefaultReader<Uint8Array>, probe: () => ProbeResult): Promise<ProbeResult> {
  try {
    return probe()
  } catch (cause) {
    await reader.cancel()
    throw cause
  }
}

function brokenHead() {
  return { status: 200, code: "upstream_stream_break", message: "The upstream closed before any output." }
}
