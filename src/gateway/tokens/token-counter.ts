/** Counts tokens exactly, on a thread of its own that lives only while it is asked. */

import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"

import type { CountOrder, CountReply } from "./token-worker.ts"

/** What a counter is made of. */
export type TokenCounterParts = {
  readonly timers: Timers
  readonly openWorker: () => Worker
}

/** The counter. */
export type TokenCounter = {
  /** Returns one count a text. Rejects with `internal` when the thread fails or does not answer in time. */
  readonly count: (texts: readonly string[]) => Promise<readonly number[]>
  /** Ends the thread; the next count starts another one. */
  readonly stop: () => void
}

/** The thread's table weighs about 90 MB: it goes when nobody has asked for this long. */
const IDLE_MS = 5 * 60_000

/** Loading the table and counting megabytes take one second on a slow machine. */
const DEADLINE_MS = 20_000

/** Tool definitions and prompts come again with every request; shorter texts are counted sooner than found. */
const MIN_KEPT_CHARS = 500
const MAX_KEPT = 5_000

type Waiting = { readonly resolve: (counts: readonly number[]) => void; readonly reject: (cause: GatewayError) => void }

/** Makes a counter. The thread is started by the first text that is not known. */
export function makeTokenCounter(parts: TokenCounterParts): TokenCounter {
  const kept = new Map<string, number>()
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let orders = 0
  let cancelIdle = () => {}

  const keep = (text: string, count: number) => {
    if (text.length < MIN_KEPT_CHARS) return
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(keyOf(text), count)
  }
  const stop = () => {
    cancelIdle()
    worker?.terminate()
    worker = undefined
    for (const { reject } of waiting.values()) reject(failure())
    waiting.clear()
  }
  const onMessage = (event: MessageEvent<CountReply>) => {
    const { order, counts } = event.data
    waiting.get(order)?.resolve(counts)
    waiting.delete(order)
  }
  const opened = () => {
    if (worker !== undefined) return worker
    worker = parts.openWorker()
    worker.addEventListener("message", onMessage)
    worker.addEventListener("error", stop)
    return worker
  }
  const ask = (texts: readonly string[]): Promise<readonly number[]> => {
    const order: CountOrder = { order: ++orders, texts }
    cancelIdle()
    cancelIdle = parts.timers.after(IDLE_MS, stop)
    const cancelDeadline = parts.timers.after(DEADLINE_MS, stop)
    const reply = new Promise<readonly number[]>((resolve, reject) => {
      waiting.set(order.order, { resolve, reject })
      opened().postMessage(order)
    })
    return reply.finally(cancelDeadline)
  }
  return {
    count: async texts => {
      const counts = texts.map(text => kept.get(keyOf(text)))
      const unknown = texts.filter((_, index) => counts[index] === undefined)
      const fresh = unknown.length === 0 ? [] : await ask(unknown)
      let next = 0
      return texts.map((text, index) => {
        const count = counts[index] ?? fresh[next++]
        if (count === undefined) throw failure()
        keep(text, count)
        return count
      })
    },
    stop,
  }
}

/** Prompts are not kept, only what tells them apart. */
function keyOf(text: string): string {
  return `${text.length}:${Bun.hash(text)}`
}

function failure(): GatewayError {
  return new GatewayError("internal", "Tokens could not be counted.")
}
