/** Every WebSocket that is open: who it belongs to, what it has served, and the control's hand on it. */

/** One open socket. */
export type OpenSocket = {
  readonly number: number
  readonly account: string
  readonly openedAtMs: number
  /** Turns begun on it. */
  readonly turns: () => number
  /** Ends it: with a close frame, or without one when `code` is undefined. */
  readonly close: (code?: number) => void
}

/** The open sockets of one simulator. */
export type Sockets = {
  /** A number no socket had before. */
  readonly nextNumber: () => number
  readonly add: (socket: OpenSocket) => void
  readonly remove: (socket: OpenSocket) => void
  readonly list: () => readonly OpenSocket[]
  readonly countOf: (account: string) => number
  /** Resolves as soon as `count` are open. */
  readonly untilOpen: (count: number) => Promise<void>
}

type Watcher = { readonly count: number; readonly resolve: () => void }

/** Makes an empty book. */
export function makeSockets(): Sockets {
  const open = new Set<OpenSocket>()
  const watchers = new Set<Watcher>()
  let last = 0
  const notify = () => {
    for (const watcher of watchers) {
      if (open.size !== watcher.count) continue
      watchers.delete(watcher)
      watcher.resolve()
    }
  }
  return {
    nextNumber: () => {
      last += 1
      return last
    },
    add: socket => {
      open.add(socket)
      notify()
    },
    remove: socket => {
      open.delete(socket)
      notify()
    },
    list: () => [...open],
    countOf: account => [...open].filter(socket => socket.account === account).length,
    untilOpen: count =>
      new Promise(resolve => {
        watchers.add({ count, resolve })
        notify()
      }),
  }
}
