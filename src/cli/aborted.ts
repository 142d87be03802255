/** Waiting for the signal to stop. */

/** Resolves when `signal` fires. A timer keeps the process alive until then, whatever else does not. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const keepAlive = setInterval(() => {}, 2 ** 30)
    const finish = () => {
      clearInterval(keepAlive)
      resolve()
    }
    if (signal.aborted) finish()
    else signal.addEventListener("abort", finish, { once: true })
  })
}
