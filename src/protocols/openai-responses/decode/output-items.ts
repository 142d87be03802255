/** All output items of one answer: finds the item an event belongs to, whatever ids the upstream uses. */

import type { FinishReason } from "#core/events.ts"
import { arrayAt, isJsonObject, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"
import { noteOpaqueItems } from "#protocols/openai-responses/opaque-items.ts"

import { makeHostedItem, sendPartialImage } from "./hosted-item.ts"
import type { Delta, DeltaChannel, DeltaTarget } from "./hot-events.ts"
import { type MessageItem, makeMessageItem, sendContentPart } from "./message-item.ts"
import type { FinalItem, ItemScope, OutputItem } from "./output-item.ts"
import { makeReasoningItem } from "./reasoning-item.ts"
import { makeToolItem, type ToolItem } from "./tool-item.ts"

/** How an event names its item. */
type Address = {
  readonly outputIndex: number
  readonly itemId?: string | undefined
  readonly callId?: string | undefined
}

type AnyItem = OutputItem & Partial<Pick<MessageItem, "cite"> & Pick<ToolItem, "callId" | "identify">>

/** Feeds item events in, gets neutral events out through the scope. */
export type OutputItems = {
  readonly delta: (delta: Delta) => void
  /** Any event but a delta; unknown ones are ignored. `itemText` gives the text of the event's `item` member. */
  readonly event: (type: string, event: JsonObject, itemText: () => string) => void
  /** The answer is over: delivers items only the terminal response has, closes what is open. */
  readonly settle: (response: JsonObject, whole: boolean) => void
}

type State = {
  readonly scope: ItemScope
  readonly all: AnyItem[]
  readonly byIndex: Map<number, AnyItem>
  readonly byId: Map<string, AnyItem>
  /** The last delta's target and its item: deltas of a run share one target object. */
  recentTarget: DeltaTarget | undefined
  recent: AnyItem | undefined
}

const ITEM_TYPE_OF_CHANNEL: Readonly<Record<DeltaChannel, string>> = {
  text: "message",
  refusal: "message",
  summary: "reasoning",
  reasoning: "reasoning",
  arguments: "function_call",
  "custom-input": "custom_tool_call",
}

type PartDone = { readonly channel: DeltaChannel; readonly key: string }

/** Events that carry the whole text of a part, and the member it stands in. */
const PART_DONE: ReadonlyMap<string, PartDone> = new Map<string, PartDone>([
  ["response.output_text.done", { channel: "text", key: "text" }],
  ["response.refusal.done", { channel: "refusal", key: "refusal" }],
  ["response.reasoning_summary_text.done", { channel: "summary", key: "text" }],
  ["response.reasoning_text.done", { channel: "reasoning", key: "text" }],
  ["response.function_call_arguments.done", { channel: "arguments", key: "arguments" }],
  ["response.custom_tool_call_input.done", { channel: "custom-input", key: "input" }],
])

/** Makes the items of one answer. */
export function makeOutputItems(scope: ItemScope): OutputItems {
  const state: State = {
    scope,
    all: [],
    byIndex: new Map(),
    byId: new Map(),
    recentTarget: undefined,
    recent: undefined,
  }
  return {
    delta: ({ target, literal }) => {
      if (target !== state.recentTarget) select(state, target)
      state.recent?.delta(target.channel, target.part, literal)
    },
    event: (type, event, itemText) => onEvent(state, { type, event, itemText }),
    settle: (response, whole) => settle(state, response, whole),
  }
}

function select(state: State, target: DeltaTarget): void {
  state.recent = findOrOpen(state, target, ITEM_TYPE_OF_CHANNEL[target.channel])
  state.recentTarget = target
}

type ItemEvent = { readonly type: string; readonly event: JsonObject; readonly itemText: () => string }

function onEvent(state: State, { type, event, itemText }: ItemEvent): void {
  const done = PART_DONE.get(type)
  if (done !== undefined) {
    onPartDone(state, event, done)
    return
  }
  switch (type) {
    case "response.output_item.added":
      onAdded(state, event)
      return
    case "response.output_item.done":
      onItemDone(state, event, itemText)
      return
    case "response.content_part.done":
      onContentPart(state, event)
      return
    case "response.reasoning_summary_part.done":
      onSummaryPart(state, event)
      return
    case "response.image_generation_call.partial_image":
      sendPartialImage(state.scope, event)
      return
    case "response.output_text.annotation.added":
      messageOf(state, event)?.cite?.(partOf(event, "text"), event["annotation"])
      return
    default:
      return
  }
}

function onPartDone(state: State, event: JsonObject, { channel, key }: PartDone): void {
  const full = stringAt(event, key)
  if (full === undefined) return
  const item = findOrOpen(state, addressOf(event), ITEM_TYPE_OF_CHANNEL[channel])
  item.identify?.(event)
  item.partDone(channel, partOf(event, channel), full)
}

function onAdded(state: State, event: JsonObject): void {
  const json = objectAt(event, "item")
  if (json === undefined) return
  const address = itemAddress(event, json)
  const known = find(state, address)
  // Whatever is announced after an item has ended is another item, even under the same index.
  const isKnown = known !== undefined && !known.isClosed() && isSameItem(known, json)
  const item = isKnown ? known : open(state, address, json)
  item.identify?.(json)
}

function onItemDone(state: State, event: JsonObject, text: () => string): void {
  const json = objectAt(event, "item")
  if (json === undefined) return
  finishItem(state, itemAddress(event, json), { json, text })
}

function finishItem(state: State, address: Address, final: FinalItem): void {
  const known = find(state, address)
  const item = known !== undefined && isSameItem(known, final.json) ? known : open(state, address, final.json)
  noteOpaqueItems([final.json], state.scope.noteOpaque)
  item.done(final)
}

/**
 * Output indices are not always distinct: some relays send 0 for everything. A closed call with another call id, or an
 * item of another type, is another item.
 */
function isSameItem(item: AnyItem, json: JsonObject): boolean {
  if (item.type !== stringAt(json, "type")) return false
  const callId = item.callId?.()
  const other = stringAt(json, "call_id")
  return callId === undefined || other === undefined || callId === other || !item.isClosed()
}

function onContentPart(state: State, event: JsonObject): void {
  const part = objectAt(event, "part")
  if (part === undefined) return
  const type = stringAt(part, "type")
  if (type === "reasoning_text") {
    const text = stringAt(part, "text")
    if (text !== undefined)
      findOrOpen(state, addressOf(event), "reasoning").partDone("reasoning", partOf(event, "text"), text)
    return
  }
  const message = messageOf(state, event)
  if (message.cite !== undefined) {
    sendContentPart(part, partOf(event, "text"), { partDone: message.partDone, cite: message.cite })
  }
}

function onSummaryPart(state: State, event: JsonObject): void {
  const part = objectAt(event, "part")
  const text = part === undefined ? undefined : stringAt(part, "text")
  if (text === undefined) return
  findOrOpen(state, addressOf(event), "reasoning").partDone("summary", partOf(event, "summary"), text)
}

function messageOf(state: State, event: JsonObject): AnyItem {
  return findOrOpen(state, addressOf(event), "message")
}

function addressOf(event: JsonObject): Address {
  return {
    outputIndex: numberAt(event, "output_index") ?? -1,
    itemId: stringAt(event, "item_id"),
    callId: stringAt(event, "call_id"),
  }
}

function itemAddress(event: JsonObject, item: JsonObject): Address {
  return {
    outputIndex: numberAt(event, "output_index") ?? -1,
    itemId: stringAt(item, "id"),
    callId: stringAt(item, "call_id"),
  }
}

function partOf(event: JsonObject, channel: DeltaChannel): number {
  return numberAt(event, channel === "summary" ? "summary_index" : "content_index") ?? 0
}

/** By output index first: item ids may differ from event to event. */
function find(state: State, { outputIndex, itemId, callId }: Address): AnyItem | undefined {
  if (outputIndex !== -1) {
    const item = state.byIndex.get(outputIndex)
    if (item !== undefined) return item
  }
  const item = itemId === undefined ? undefined : state.byId.get(itemId)
  if (item !== undefined) return item
  return callId === undefined ? undefined : state.all.find(other => other.callId?.() === callId)
}

function findOrOpen(state: State, address: Address, type: string): AnyItem {
  const item = find(state, address) ?? (address.outputIndex === -1 ? onlyOpen(state, type) : undefined)
  return item ?? open(state, address, { type })
}

/** An event that names no item can only mean the one that is open. */
function onlyOpen(state: State, type: string): AnyItem | undefined {
  const open = state.all.filter(item => !item.isClosed() && item.type === type)
  return open.length === 1 ? open[0] : undefined
}

function open(state: State, address: Address, json: JsonObject): AnyItem {
  const item = makeItem(state.scope, json)
  state.all.push(item)
  if (address.outputIndex !== -1) state.byIndex.set(address.outputIndex, item)
  if (address.itemId !== undefined) state.byId.set(address.itemId, item)
  state.recentTarget = undefined
  return item
}

function makeItem(scope: ItemScope, json: JsonObject): AnyItem {
  const type = stringAt(json, "type") ?? ""
  switch (type) {
    case "message":
      return makeMessageItem(scope, stringAt(json, "phase"))
    case "reasoning":
      return makeReasoningItem(scope)
    case "function_call":
      return makeToolItem(scope, "function")
    case "custom_tool_call":
      return makeToolItem(scope, "custom")
    default:
      return makeHostedItem(scope, type)
  }
}

function settle(state: State, response: JsonObject, whole: boolean): void {
  for (const [index, json] of (arrayAt(response, "output") ?? []).entries()) {
    if (isJsonObject(json) && isMissing(state, index, json)) {
      const address = { outputIndex: index, itemId: stringAt(json, "id"), callId: stringAt(json, "call_id") }
      finishItem(state, address, { json, text: () => JSON.stringify(json) })
    }
  }
  for (const item of state.all) item.close(whole)
}

/** True for an item the events have not finished: nothing may be delivered twice. */
function isMissing(state: State, index: number, json: JsonObject): boolean {
  const type = stringAt(json, "type")
  const callId = stringAt(json, "call_id")
  if (callId !== undefined) {
    const call = state.all.find(item => item.callId?.() === callId)
    if (call !== undefined) return !call.isClosed()
  }
  const atIndex = state.byIndex.get(index)
  if (atIndex !== undefined && atIndex.type === type) return !atIndex.isClosed()
  return callId !== undefined || !state.all.some(item => item.type === type)
}

/** Why a completed or incomplete response stopped. */
export function finishReasonOf(response: JsonObject, whole: boolean, calledTools: boolean): FinishReason {
  if (whole) return calledTools ? "tool-calls" : "stop"
  const details = objectAt(response, "incomplete_details")
  const reason = details === undefined ? undefined : stringAt(details, "reason")
  if (reason === "content_filter") return "content-filter"
  // The upstream's words for "the limit" and "the window" vary.
  return reason !== undefined && /token|length|context/.test(reason) ? "length" : "unstated"
}
