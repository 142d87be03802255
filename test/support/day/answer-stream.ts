/** The body of an upstream's answer: chunks at set times of virtual time, broken off when its reader leaves or the upstream dies. */

import type { Timers } from "#core/clock.ts"
import type { JsonObject } from "#core/json.ts"

/** One chunk: events that are written at once, `afterMs` after the chunk before. */
export type Chunk = { readonly afterMs: number; readonly events: () => readonly JsonObject[] }

/** How an answer is written. */
export type AnswerStreamParts = {
  readonly timers: Timers
  readonly chunks: readonly Chunk[]
  /** Aborts when the gateway closes the connection. */
  readonly signal: AbortSignal
  /** Told once: the last chunk is out, or nobody reads any more, or it was broken off. */
  readonly ended: (how: "whole" | "left" | "cut") => void
}

/** An answer under way. */
export type AnswerStream = {
  readonly body: ReadableStream<Uint8Array>
  /** Breaks the connection off. */
  readonly cut: () => void
}

const encoder = new TextEncoder()

/** Starts writing. */
export function startAnswer({ timers, chunks, signal, ended }: AnswerStreamParts): AnswerStream {
  let next = 0
  let isOver = false
  let cancelTimer = () => {}
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined

  function end(how: "whole" | "left" | "cut"): boolean {
    if (isOver) return false
    isOver = true
    cancelTimer()
    signal.removeEventListener("abort", onAbort)
    ended(how)
    return true
  }

  function onAbort(): void {
    if (end("left")) controller?.error(new DOMException("The operation was aborted.", "AbortError"))
  }

  function write(): void {
    const chunk = chunks[next]
    if (chunk === undefined) {
      if (end("whole")) controller?.close()
      return
    }
    cancelTimer = timers.after(chunk.afterMs, () => {
      controller?.enqueue(encoder.encode(chunk.events().map(frameOf).join("")))
      next += 1
      write()
    })
  }

  const body = new ReadableStream<Uint8Array>({
    start: started => {
      controller = started
      signal.addEventListener("abort", onAbort, { once: true })
      write()
    },
    cancel: () => {
      end("left")
    },
  })
  return {
    body,
    cut: () => {
      if (!end("cut")) return
      controller?.error(
        Object.assign(new Error("The socket connection was closed unexpectedly."), { code: "ECONNRESET" }),
      )
    },
  }
}

function frameOf(event: JsonObject): string {
  return `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`
}
