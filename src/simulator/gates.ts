/** Gates that streams wait at until a test opens them: concurrency is shown without sleeping. */

/** Named gates. */
export type Gates = {
  /** Resolves when the gate is opened, or at once when `signal` aborts. */
  readonly wait: (label: string, signal: AbortSignal) => Promise<void>
  /** Opens the gate for everyone who waits now; returns how many. Without a label: every gate. */
  readonly release: (label?: string) => number
  /** How many wait at the gate. */
  readonly waiting: (label: string) => number
  /** Resolves as soon as `count` wait at the gate. */
  readonly untilWaiting: (label: string, count: number) => Promise<void>
}

type Watcher = { readonly label: string; readonly count: number; readonly resolve: () => void }

/** Makes gates; a gate exists while somebody waits at it. */
export function makeGates(): Gates {
  const waiters = new Map<string, Set<() => void>>()
  const watchers = new Set<Watcher>()
  const waiting = (label: string) => waiters.get(label)?.size ?? 0
  const notify = () => {
    for (const watcher of watchers) {
      if (waiting(watcher.label) < watcher.count) continue
      watchers.delete(watcher)
      watcher.resolve()
    }
  }
  const open = (label: string) => {
    // A copy: whoever leaves takes itself out of the set.
    const leaving = [...(waiters.get(label) ?? [])]
    waiters.delete(label)
    for (const leave of leaving) leave()
    return leaving.length
  }
  return {
    wait: (label, signal) =>
      new Promise(resolve => {
        if (signal.aborted) return resolve()
        const others = waiters.get(label) ?? new Set()
        const leave = () => {
          others.delete(leave)
          signal.removeEventListener("abort", leave)
          resolve()
        }
        waiters.set(label, others.add(leave))
        signal.addEventListener("abort", leave)
        notify()
      }),
    release: label => {
      const labels = label === undefined ? [...waiters.keys()] : [label]
      return labels.reduce((count, name) => count + open(name), 0)
    },
    waiting,
    untilWaiting: (label, count) =>
      new Promise(resolve => {
        watchers.add({ label, count, resolve })
        notify()
      }),
  }
}
