/** Turns events and settings into the steps of a delivery: bytes, waits, gates, the end. Pure; nothing waits here. */

import { type JsonObject, stringAt } from "#core/json.ts"
import type { Settings } from "#simulator/scripts/settings.ts"

import { sseFrame } from "./sse-writer.ts"

/** One step. A gate stays shut until the control opens it; a reset breaks the connection. */
export type DeliveryStep =
  | { readonly type: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | Pause
  | { readonly type: "reset" }

/** Why a delivery does not go on at once. */
export type Pause =
  | { readonly type: "wait"; readonly delayMs: number }
  | { readonly type: "gate"; readonly label: string }

const encoder = new TextEncoder()

/** Yields the steps one by one, so that a long answer is only encoded as far as it is read. Ends = the body ends. */
export function* deliverySteps(events: readonly JsonObject[], settings: Settings): Generator<DeliveryStep, void> {
  const last = settings.cut === "none" ? events.length : Math.min(settings.cutAfterEvents, events.length)
  if (settings.coalesce) yield* coalescedSteps(events.slice(0, last), settings)
  else yield* eventSteps(events.slice(0, last), settings)
  if (settings.cut === "reset") yield { type: "reset" }
}

function* eventSteps(events: readonly JsonObject[], settings: Settings): Generator<DeliveryStep, void> {
  const firstDelta = events.findIndex(isDelta)
  for (const [index, event] of events.entries()) {
    yield* gateBefore(index, settings)
    yield* waitsBefore(index, firstDelta, settings)
    yield* chunks(encoder.encode(sseFrame(event, settings)), settings.chunkBytes)
  }
  if (settings.holdAfterEvents >= events.length) yield* gateBefore(settings.holdAfterEvents, settings)
}

function* coalescedSteps(events: readonly JsonObject[], settings: Settings): Generator<DeliveryStep, void> {
  yield* gateBefore(settings.holdAfterEvents, settings)
  yield* waitsBefore(0, -1, settings)
  const text = events.map(event => sseFrame(event, settings)).join("")
  if (text !== "") yield { type: "bytes", bytes: encoder.encode(text) }
}

/** The gate that stands before the event with this index. */
export function* gateBefore(index: number, settings: Settings): Generator<Pause, void> {
  if (settings.hold !== "" && settings.holdAfterEvents === index) yield { type: "gate", label: settings.hold }
}

/** The pauses before the event with this index; `firstDelta` is the index of the first delta, -1 for none. */
export function* waitsBefore(index: number, firstDelta: number, settings: Settings): Generator<Pause, void> {
  const delayMs =
    (index === 0 ? settings.firstEventDelayMs : settings.eventDelayMs) +
    (index === firstDelta ? settings.firstTokenDelayMs : 0)
  if (delayMs > 0) yield { type: "wait", delayMs }
}

function* chunks(bytes: Uint8Array<ArrayBuffer>, chunkBytes: number): Generator<DeliveryStep, void> {
  if (chunkBytes <= 0) return yield { type: "bytes", bytes }
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    yield { type: "bytes", bytes: bytes.subarray(start, start + chunkBytes) }
  }
}

/** True for a piece of output. */
export function isDelta(event: JsonObject): boolean {
  return (stringAt(event, "type") ?? "").endsWith(".delta")
}
