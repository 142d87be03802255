/** Runs delivery steps as a pull-driven body: nothing is encoded before the client has read what came before. */

import type { Timers } from "#core/clock.ts"
import type { Gates } from "#simulator/gates.ts"

import type { DeliveryStep } from "./delivery.ts"

/** What running steps takes. `signal` aborts when the client is gone. */
export type StreamParts = { readonly timers: Timers; readonly gates: Gates; readonly signal: AbortSignal }

/** Makes the body. A reset step errors the stream, upon which the server breaks the connection off. */
export function makeStreamBody(
  steps: Iterator<DeliveryStep, void>,
  parts: StreamParts,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async controller => {
        const step = await nextChunk(steps, parts)
        if (step.type === "bytes") controller.enqueue(step.bytes)
        else if (step.type === "end") controller.close()
        else if (step.type === "reset")
          controller.error(new Error("The simulator broke the connection off on purpose."))
      },
    },
    { highWaterMark: 0 },
  )
}

type Chunk =
  | Extract<DeliveryStep, { type: "bytes" | "reset" }>
  | { readonly type: "end" }
  /** The client is gone: nobody would read what follows. */
  | { readonly type: "gone" }

/**
 * An error discards what was enqueued before, and a reset takes along what the client has not read yet: both would break
 * the answer off earlier than the script says. An error raised at once is also printed by Bun.
 */
const BEFORE_RESET_MS = 50

async function nextChunk(steps: Iterator<DeliveryStep, void>, parts: StreamParts): Promise<Chunk> {
  while (!parts.signal.aborted) {
    const { value: step } = steps.next()
    if (step === undefined) return { type: "end" }
    if (step.type === "bytes") return step
    if (step.type === "reset") {
      await pause(parts, BEFORE_RESET_MS)
      return step
    }
    await (step.type === "gate" ? parts.gates.wait(step.label, parts.signal) : pause(parts, step.delayMs))
  }
  return { type: "gone" }
}

/** Waits, or returns at once when the client is gone. */
export function pause(parts: Pick<StreamParts, "timers" | "signal">, delayMs: number): Promise<void> {
  return new Promise(resolve => {
    if (parts.signal.aborted) return resolve()
    const done = () => {
      cancel()
      parts.signal.removeEventListener("abort", done)
      resolve()
    }
    const cancel = parts.timers.after(delayMs, done)
    parts.signal.addEventListener("abort", done)
  })
}
