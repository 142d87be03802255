/** The relay's edits on output items: client tool names, ids, and a copy for the terminal response. */

import { type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import { DELTA_CHANNELS } from "#protocols/openai-responses/decode/hot-events.ts"
import { noteOpaqueItems } from "#protocols/openai-responses/opaque-items.ts"
import { byteTextOfUtf8 } from "#wire/bytes.ts"
import { memberText, withMembers } from "#wire/json-scan.ts"

import { repairItem } from "./final-item.ts"
import { isPublicEvent } from "./public-events.ts"
import { ensureCreated } from "./relay-end.ts"
import { forward, type RelayEvent } from "./relay-event.ts"
import type { RelayState } from "./relay-state.ts"
import { itemFallbackId, withStableId } from "./stable-ids.ts"

/** Sends an event that is part of the answer. */
export function onOutput(state: RelayState, upstreamEvent: RelayEvent): void {
  if (!state.context.reply.codexClient && !isPublicEvent(upstreamEvent.type)) return
  ensureCreated(state)
  const event = withStableId(state, upstreamEvent)
  switch (event.type) {
    case "response.output_item.added":
      forward(state, event, renameIn(state, event))
      return
    case "response.output_item.done":
      onItemDone(state, event)
      return
    case "response.function_call_arguments.done":
      forward(state, event, renameTopLevel(state, event))
      return
    case "response.output_text.delta":
      // Until the finished message has come, its deltas are all there is of it.
      state.output.keepCopy(true)
      forward(state, event, event.data)
      learnPrefix(state, event)
      return
    default:
      forward(state, event, event.data)
      learnPrefix(state, event)
  }
}

/** Deltas never change, unless their ids have to: from now on frames that begin like this one pass unread. */
function learnPrefix(state: RelayState, { frame, type, data }: RelayEvent): void {
  if (!DELTA_CHANNELS.has(type) || state.editsIds || state.unconfirmed.size > 0) return
  const dataStart = `{"type":"${type}",`
  const prefix = `event: ${type}\ndata: ${dataStart}`
  if (data.startsWith(dataStart) && frame.text.startsWith(prefix, frame.start)) state.unreadPrefix = prefix
}

function onItemDone(state: RelayState, event: RelayEvent): void {
  const item = objectAt(event.json, "item")
  const text = memberText(event.data, "item") ?? byteTextOfUtf8(JSON.stringify(item ?? null))
  if (item === undefined) {
    forward(state, event, event.data)
    return
  }
  noteOpaqueItems([item], state.noteOpaque)
  const index = numberAt(event.json, "output_index")
  const repair = { toolNames: state.context.toolNames, fallbackId: itemFallbackId(state, index) }
  const repaired = repairItem(text, item, repair)
  state.items.add(index, repaired)
  const data = repaired === text ? event.data : withMembers(event.data, new Map([["item", repaired]]))
  forward(state, event, data ?? event.data)
  if (stringAt(item, "type") !== "message") return
  state.output.keepCopy(false)
  // The next delta has to be read, so that keeping a copy starts again.
  state.unreadPrefix = ""
}

function renameIn(state: RelayState, { data, json }: RelayEvent): string {
  const item = objectAt(json, "item")
  const name = clientName(state, item)
  const text = name === undefined ? undefined : memberText(data, "item")
  const renamed = text === undefined ? undefined : withMembers(text, new Map([["name", name ?? ""]]))
  return renamed === undefined ? data : (withMembers(data, new Map([["item", renamed]])) ?? data)
}

function renameTopLevel(state: RelayState, { data, json }: RelayEvent): string {
  const name = clientName(state, json)
  return name === undefined ? data : (withMembers(data, new Map([["name", name]])) ?? data)
}

/** The literal (byte text) of the client's own name for a tool, when it had to be renamed. */
function clientName(state: RelayState, named: JsonObject | undefined): string | undefined {
  const name = named === undefined ? undefined : stringAt(named, "name")
  const own = name === undefined ? undefined : state.context.toolNames.get(name)
  return own === undefined ? undefined : byteTextOfUtf8(JSON.stringify(own))
}
