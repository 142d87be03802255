/** Reads the rest of a finished answer, so that its connection can serve again. */

import type { Timers } from "#core/clock.ts"

/** After its terminal event an upstream has only its end to send: more than this is given up with the connection. */
const MAX_TAIL_BYTES = 64 * 1024
const MAX_TAIL_MS = 1_000

/** Drains `reader` in the background. Cancelling at once would close a connection that is about to be idle. */
export function drainTail(reader: ReadableStreamDefaultReader<Uint8Array>, timers: Timers): void {
  const giveUp = () => {
    // The answer is complete; nobody is left to whom a failure of its tail would matter.
    reader.cancel().catch(() => {})
  }
  const cancelTimer = timers.after(MAX_TAIL_MS, giveUp)
  readToEnd(reader).catch(giveUp).finally(cancelTimer)
}

async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let tailBytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    tailBytes += value.byteLength
    if (tailBytes > MAX_TAIL_BYTES) return reader.cancel()
  }
}
