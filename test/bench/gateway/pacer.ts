/** One ticker for all paced streams of a process: a ring of milliseconds, each with what is due then. */

/** Called when its time has come. */
export type Due = () => void

/** Longest time ahead; a power of two, so that a place in the ring is a mask. */
const RING_MS = 8192

/** Starts the ticker. */
export function makePacer(): { readonly after: (ms: number, due: Due) => void } {
  const ring: Due[][] = Array.from({ length: RING_MS }, () => [])
  let atMs = Math.floor(performance.now())
  setInterval(() => {
    const nowMs = Math.floor(performance.now())
    while (atMs < nowMs) {
      atMs += 1
      const place = atMs & (RING_MS - 1)
      const due = ring[place] ?? []
      if (due.length === 0) continue
      ring[place] = []
      for (const call of due) call()
    }
  }, 1)
  return {
    after: (ms, due) => {
      if (ms >= RING_MS) throw new Error(`at most ${RING_MS - 1} ms between two events`)
      ring[(atMs + Math.max(1, ms)) & (RING_MS - 1)]?.push(due)
    },
  }
}
