/** Keeps one relay thread: starts it, hears it, and starts another one when it has ended. */

import type { Clock, Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { thawError } from "#relay/frozen-error.ts"
import type { Post, RelaySettings, ToOwner, ToRelay } from "#relay/messages.ts"
import { openRelayWorker } from "#relay/thread/open-relay-worker.ts"

import { makeRequestDesk, type RequestDeskParts } from "./request-desk.ts"

/** What a keeper is made of. */
export type RelayKeeperParts = Omit<RequestDeskParts, "post"> & {
  readonly clock: Clock
  readonly timers: Timers
  /** Default: the thread of this program. */
  readonly openWorker?: () => Worker
  readonly host: string
  /** Where the owner takes what is passed on. */
  readonly door: string
  readonly settings: () => RelaySettings
  /** Told why a thread has ended that was not told to, and when the next one begins. */
  readonly onLoss: (loss: { readonly reason: string; readonly pauseMs: number }) => void
}

/** One relay as operators see it. */
export type RelayView = { readonly alive: boolean; readonly streams: number; readonly restarts: number }

/** The keeper. */
export type RelayKeeper = {
  /** Resolves with the port once the thread listens; rejects when it cannot. Port 0 takes a free one. */
  readonly start: (port: number) => Promise<number>
  readonly follow: () => void
  /** Has it accept no more; resolves when it has finished, or has ended. */
  readonly drain: () => Promise<void>
  readonly stop: () => void
  readonly view: () => RelayView
}

/** Pauses before a thread is replaced: they double, and begin anew after one that has lived for a while. */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000
const LONG_LIFE_MS = 60_000

type Running = {
  readonly worker: Worker
  readonly post: Post<ToRelay>
  readonly desk: ReturnType<typeof makeRequestDesk>
  readonly listening: PromiseWithResolvers<number>
  readonly drained: PromiseWithResolvers<void>
}

/** Makes a keeper; nothing runs before its start. */
export function makeRelayKeeper(parts: RelayKeeperParts): RelayKeeper {
  let running: Running | undefined
  let isAlive = false
  let isStopping = false
  let restarts = 0
  let pauseMs = FIRST_PAUSE_MS
  let cancelRestart = () => {}

  const lost = (one: Running, reason: string, startedAtMs: number, port: number) => {
    if (running !== one) return
    const hadStarted = isAlive
    running = undefined
    isAlive = false
    one.desk.lose()
    one.drained.resolve()
    one.listening.reject(new GatewayError("internal", `A relay thread could not be started: ${reason}`))
    // The first start is the caller's affair.
    if (isStopping || (!hadStarted && restarts === 0)) return
    if (parts.clock() - startedAtMs >= LONG_LIFE_MS) pauseMs = FIRST_PAUSE_MS
    parts.onLoss({ reason, pauseMs })
    restarts += 1
    cancelRestart = parts.timers.after(pauseMs, () => {
      // A thread that cannot begin ends by itself, and is replaced like any other.
      open(port).listening.promise.catch(() => {})
    })
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }

  const open = (port: number): Running => {
    const worker = (parts.openWorker ?? openRelayWorker)()
    const startedAtMs = parts.clock()
    const post: Post<ToRelay> = (message, transfer = []) => worker.postMessage(message, transfer)
    const desk = makeRequestDesk({ ...parts, post })
    const listening = Promise.withResolvers<number>()
    const one: Running = { worker, post, desk, listening, drained: Promise.withResolvers<void>() }
    let reason = "it has ended"
    let openPort = port
    worker.addEventListener("message", ({ data }: MessageEvent<ToOwner>) => {
      if (data.type === "listening") {
        isAlive = true
        openPort = data.port
        listening.resolve(data.port)
      } else if (data.type === "failed") {
        const error = thawError(data.error)
        reason = error.message
        listening.reject(error)
        worker.terminate()
      } else if (data.type === "drained") one.drained.resolve()
      else desk.hear(data)
    })
    worker.addEventListener("error", event => {
      reason = whatWasThrown(event.message)
      event.preventDefault()
    })
    worker.addEventListener("close", () => lost(one, reason, startedAtMs, openPort))
    running = one
    post({ type: "start", host: parts.host, port, door: parts.door, settings: parts.settings() })
    return one
  }

  return {
    start: port => open(port).listening.promise,
    follow: () => running?.post({ type: "settings", settings: parts.settings() }),
    drain: async () => {
      isStopping = true
      cancelRestart()
      running?.post({ type: "drain" })
      await running?.drained.promise
    },
    stop: () => {
      isStopping = true
      cancelRestart()
      running?.worker.terminate()
    },
    view: () => ({ alive: isAlive, streams: running?.desk.size() ?? 0, restarts }),
  }
}

/** Bun's message shows the source around the place, and then a line that says what was thrown. */
function whatWasThrown(message: string): string {
  return /^(?:error|[A-Z]\w*): (.*)$/m.exec(message)?.[1] ?? message.split("\n", 1)[0] ?? message
}
