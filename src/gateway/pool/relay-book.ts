/** What is known of the threads that carry bytes: shown by those who started them, read by the reports. */

/** One thread. `streams`: requests it carries now; `restarts`: how often it had to be replaced. */
export type RelayThreadReport = { readonly alive: boolean; readonly streams: number; readonly restarts: number }

/** All of them, for monitors. */
export type RelayReport = {
  readonly count: number
  readonly alive: number
  readonly threads: readonly RelayThreadReport[]
}

/** The book. */
export type RelayBook = {
  /** Undefined where one thread does it all. */
  readonly report: () => RelayReport | undefined
  readonly show: (view: (() => readonly RelayThreadReport[]) | undefined) => void
}

/** Makes an empty book: the threads are started after the reports are built. */
export function makeRelayBook(): RelayBook {
  let shown: (() => readonly RelayThreadReport[]) | undefined
  return {
    show: view => {
      shown = view
    },
    report: () => {
      const threads = shown?.()
      if (threads === undefined) return undefined
      return { count: threads.length, alive: threads.filter(({ alive }) => alive).length, threads }
    },
  }
}
