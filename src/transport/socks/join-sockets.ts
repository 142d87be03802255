/** Joins two sockets so that each end sees what the other does: bytes, half-closes and resets. */

import type { Socket } from "node:net"

/**
 * Passes bytes both ways, no faster than the slower side takes them; `sendOn` brings the near side's bytes to the far one. Once
 * one side has ended, silence for `lingerMs` closes both: a peer that is gone looks like one that only has nothing more to say.
 */
export function joinSockets(near: Socket, far: Socket, lingerMs: number, sendOn = pipeAll): void {
  mirror(near, far, lingerMs)
  mirror(far, near, lingerMs)
  sendOn(near, far)
  far.pipe(near)
}

/** Passes everything, and the end. */
export function pipeAll(near: Socket, far: Socket): void {
  near.pipe(far)
}

function mirror(from: Socket, to: Socket, lingerMs: number): void {
  from.once("end", () => {
    to.setTimeout(lingerMs, () => to.destroy())
  })
  from.on("error", () => to.resetAndDestroy())
  from.once("close", () => {
    // A side that went without an end was cut: the other must not take what came so far for whole.
    if (!from.readableEnded) to.resetAndDestroy()
  })
  if (from.destroyed) to.resetAndDestroy()
}
