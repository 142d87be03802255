/** The open sockets: one an account and conversation, bounded, replaced between turns when they are old or another login's. */

import type { CancelTimer, Clock, Timers } from "#core/clock.ts"
import type { SocketSpeaker } from "#core/socket.ts"

import type { Dialled } from "./dial-socket.ts"
import { type LiveSocket, makeLiveSocket } from "./live-socket.ts"

/** What a turn wants. */
export type SocketWish = {
  /** Account, way out and conversation. */
  readonly key: string
  readonly account: string
  /** Everything the handshake presents: a socket that was opened otherwise is not used. */
  readonly credential: string
  /** Opens a new one; rejects when the turn is aborted. */
  readonly dial: () => Promise<Dialled>
}

/** What the pool gives. `busy` and `full` are no failures: the turn goes another way. */
export type PoolAnswer =
  | { readonly type: "socket"; readonly socket: LiveSocket }
  | { readonly type: "busy" | "full" }
  | { readonly type: "refused"; readonly status: number | undefined }

/** The pool. */
export type SocketPool = {
  /** Gives a socket that is kept for the caller, who runs a turn on it at once. */
  readonly take: (wish: SocketWish) => Promise<PoolAnswer>
  /** Closes every socket; turns under way break off. */
  readonly close: () => void
}

/** What the pool is made of. */
export type SocketPoolParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly makeSpeaker: () => SocketSpeaker
  /** Sockets one account may have open: upstreams refuse more than about fifty. */
  readonly maxPerAccount: () => number
}

/** The upstream begins no turn after 60 minutes; a long one may start just before. */
const MAX_AGE_MS = 50 * 60_000
/** The upstream gives an idle connection five minutes. */
const MAX_IDLE_MS = 5 * 60_000
/** All accounts together. */
const MAX_SOCKETS = 1024
/** Every other one is a ping; the fifth without a word is the end. */
const TEND_EVERY_MS = 12_500

type Entry = {
  readonly key: string
  readonly account: string
  readonly credential: string
  /** Undefined while the handshake is under way. */
  live: LiveSocket | undefined
}

/** Makes an empty pool; its timer runs only while there are sockets. */
export function makeSocketPool(parts: SocketPoolParts): SocketPool {
  const entries = new Map<string, Entry>()
  let cancelTending: CancelTimer | undefined

  const isStale = ({ live }: Entry) => {
    if (live === undefined || !live.isIdle()) return false
    const nowMs = parts.clock()
    return nowMs - live.openedAtMs >= MAX_AGE_MS || nowMs - live.idleSinceMs() >= MAX_IDLE_MS
  }
  const tend = () => {
    for (const entry of [...entries.values()]) {
      if (isStale(entry)) entry.live?.close()
      else entry.live?.tend()
    }
  }
  const drop = (entry: Entry) => {
    if (entries.get(entry.key) === entry) entries.delete(entry.key)
    if (entries.size > 0 || cancelTending === undefined) return
    cancelTending()
    cancelTending = undefined
  }
  const usable = (wish: SocketWish): LiveSocket | "busy" | undefined => {
    const entry = entries.get(wish.key)
    if (entry === undefined) return undefined
    const { live } = entry
    if (live === undefined || live.isBusy()) return "busy"
    // One that is neither busy nor idle is being closed by the other side.
    if (live.isIdle() && entry.credential === wish.credential && !isStale(entry)) return live
    live.close()
    return undefined
  }
  /** Makes room by closing what has been idle longest; false when everything is at work. */
  const makeRoom = (account: string) => {
    const own = [...entries.values()].filter(entry => entry.account === account)
    if (own.length >= parts.maxPerAccount()) return closeIdlest(own)
    return entries.size < MAX_SOCKETS || closeIdlest([...entries.values()])
  }
  const open = async (wish: SocketWish): Promise<PoolAnswer> => {
    const entry: Entry = { key: wish.key, account: wish.account, credential: wish.credential, live: undefined }
    entries.set(wish.key, entry)
    cancelTending ??= parts.timers.every(TEND_EVERY_MS, tend)
    try {
      const dialled = await wish.dial()
      if (dialled.type === "refused") return { type: "refused", status: dialled.status }
      // The pool may have been closed meanwhile.
      if (entries.get(wish.key) !== entry) {
        dialled.socket.terminate()
        return { type: "full" }
      }
      entry.live = makeLiveSocket({
        socket: dialled.socket,
        speaker: parts.makeSpeaker(),
        clock: parts.clock,
        onGone: () => drop(entry),
      })
      entry.live.reserve()
      return { type: "socket", socket: entry.live }
    } finally {
      if (entry.live === undefined) drop(entry)
    }
  }

  return {
    take: async wish => {
      const live = usable(wish)
      if (live === "busy") return { type: "busy" }
      if (live !== undefined) {
        live.reserve()
        return { type: "socket", socket: live }
      }
      return makeRoom(wish.account) ? open(wish) : { type: "full" }
    },
    close: () => {
      for (const entry of [...entries.values()]) {
        drop(entry)
        entry.live?.close()
      }
    },
  }
}

function closeIdlest(entries: readonly Entry[]): boolean {
  let idlest: LiveSocket | undefined
  for (const { live } of entries) {
    if (live?.isIdle() && (idlest === undefined || live.idleSinceMs() < idlest.idleSinceMs())) idlest = live
  }
  idlest?.close()
  return idlest !== undefined
}
