/** Turns events and settings into the steps of a delivery over a WebSocket. Pure; nothing waits here. */

import type { JsonObject } from "#core/json.ts"
import { gateBefore, isDelta, type Pause, waitsBefore } from "#simulator/delivery/delivery.ts"
import type { Settings } from "#simulator/scripts/settings.ts"

/** One step. `code` undefined = the connection ends without a close frame. */
export type FrameStep =
  | { readonly type: "frame"; readonly text: string }
  | Pause
  | { readonly type: "close"; readonly code: number | undefined }

/** Yields the steps one by one. Settings that shape chunks and lines have no meaning here. */
export function* frameSteps(events: readonly JsonObject[], settings: Settings): Generator<FrameStep, void> {
  const last = settings.cut === "none" ? events.length : Math.min(settings.cutAfterEvents, events.length)
  const firstDelta = events.findIndex(isDelta)
  for (const [index, event] of events.slice(0, last).entries()) {
    yield* gateBefore(index, settings)
    yield* waitsBefore(index, firstDelta, settings)
    if (settings.keepAlive === "events") yield { type: "frame", text: '{"type":"keepalive"}' }
    yield { type: "frame", text: JSON.stringify(event) }
  }
  if (settings.holdAfterEvents >= last) yield* gateBefore(settings.holdAfterEvents, settings)
  if (settings.cut === "reset") yield { type: "close", code: undefined }
  if (settings.cut === "end" || settings.closeSocket) yield { type: "close", code: settings.closeCode }
}
