/** Time as a part: the only file of `src` that may read the machine's clock. */

/** Milliseconds since the epoch. Handed to whatever needs the time, so that tests can own it. */
export type Clock = () => number

/** The machine's clock. */
export const systemClock: Clock = () => Date.now()

/** Cancels a timer that {@link Timers.after} or {@link Timers.every} started; calling it twice is harmless. */
export type CancelTimer = () => void

/** Timers as a part, so that tests can fire them by hand. */
export type Timers = {
  readonly after: (delayMs: number, run: () => void) => CancelTimer
  readonly every: (intervalMs: number, run: () => void) => CancelTimer
}

/** Longest delay a timer keeps: 2³¹ ms and more fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** The machine's timers. They do not keep the process alive. */
export const systemTimers: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, Math.min(delayMs, MAX_DELAY_MS))
    timer.unref()
    return () => clearTimeout(timer)
  },
  every: (intervalMs, run) => {
    const timer = setInterval(run, Math.min(intervalMs, MAX_DELAY_MS))
    timer.unref()
    return () => clearInterval(timer)
  },
}
