/** The thread that carries bytes: a port of its own, and everything it does not know is asked of the owner. */

import { systemClock, systemTimers } from "#core/clock.ts"
import type { ToOwner, ToRelay } from "#relay/messages.ts"

import { makeRelayThread } from "./relay-thread.ts"

// Imported on the main thread this does nothing.
if (!Bun.isMainThread) {
  const relay = makeRelayThread({
    clock: systemClock,
    timers: systemTimers,
    post: (message: ToOwner, transfer = []) => self.postMessage(message, transfer),
  })
  self.addEventListener("message", (event: MessageEvent<ToRelay>) => relay.hear(event.data))
}
