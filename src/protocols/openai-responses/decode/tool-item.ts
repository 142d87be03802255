/** A function or custom tool call under way. */

import type { ToolKind } from "#core/events.ts"
import {
  arrayAt,
  isJsonObject,
  type Json,
  type JsonObject,
  jsonTextOf,
  objectAt,
  parseJsonObject,
  stringAt,
} from "#core/json.ts"

import type { FinalItem, ItemScope, OutputItem } from "./output-item.ts"
import { makePartLog } from "./part-log.ts"

/** A tool call can be told apart by its call id, and learns its identity from any event that has it. */
export type ToolItem = OutputItem & {
  readonly callId: () => string | undefined
  readonly identify: (item: JsonObject) => void
}

type Identity = { callId?: string; name?: string; namespace?: string }

/** The call is announced once its id and name are known; deltas that come earlier wait. */
export function makeToolItem(scope: ItemScope, kind: ToolKind): ToolItem {
  const identity: Identity = {}
  const log = makePartLog()
  let block = -1
  let closed = false
  const isBundle = () => kind === "function" && namesBundle(identity, scope)
  const start = () => {
    const { callId, name, namespace } = identity
    if (block !== -1 || callId === undefined || name === undefined || isBundle()) return
    block = scope.nextBlock()
    const space = namespace === undefined ? {} : { namespace }
    scope.emit({ type: "tool-start", block, callId, name, kind, ...space })
    const early = log.text(0)
    if (early !== "") scope.emit({ type: "tool-delta", block, text: jsonTextOf(early) })
  }
  const delta: OutputItem["delta"] = (_channel, _part, literal) => {
    if (closed || literal === '""') return
    log.append(0, literal)
    if (block !== -1) scope.emit({ type: "tool-delta", block, text: literal })
  }
  const partDone: OutputItem["partDone"] = (channel, part, full) => {
    const missing = log.missing(0, full)
    if (missing !== "") delta(channel, part, jsonTextOf(missing))
  }
  const close = (whole: boolean) => {
    if (closed) return
    // An empty argument text would not parse; no other text is ever invented.
    if (whole && kind === "function" && log.isEmpty()) delta("arguments", 0, jsonTextOf("{}"))
    closed = true
    if (block !== -1) scope.emit({ type: "tool-end", block, ...(!whole && { cut: true }) })
    else if (whole && isBundle()) sendBundle(log.text(0), identity, scope)
  }
  const identify = (item: JsonObject) => {
    learn(identity, item, scope)
    start()
  }
  return {
    type: kind === "function" ? "function_call" : "custom_tool_call",
    delta,
    partDone,
    identify,
    callId: () => identity.callId,
    done: final => {
      finishCall({ identity, identify, partDone, scope }, kind, final)
      close(stringAt(final.json, "status") !== "incomplete")
    },
    close,
    isClosed: () => closed,
  }
}

type Completing = Pick<ToolItem, "identify" | "partDone"> & { readonly identity: Identity; readonly scope: ItemScope }

function finishCall({ identity, identify, partDone, scope }: Completing, kind: ToolKind, { json }: FinalItem): void {
  learn(identity, json, scope)
  // Without a call id the item's own id is the only thing the client can answer to.
  identity.callId ??= stringAt(json, "id") ?? "call_unnamed"
  identify(json)
  const full = kind === "function" ? argumentText(json["arguments"]) : stringAt(json, "input")
  if (full !== undefined) partDone(kind === "function" ? "arguments" : "custom-input", 0, full)
}

/** Arguments are a string by contract; an object is written out. */
function argumentText(value: Json | undefined): string | undefined {
  return isJsonObject(value) ? JSON.stringify(value) : typeof value === "string" ? value : undefined
}

/** Models now and then put the name of the tools' own namespace in front. */
const TOOL_PREFIX = "functions."

function withoutPrefix(name: string, scope: ItemScope): string {
  const rest = name.startsWith(TOOL_PREFIX) ? name.slice(TOOL_PREFIX.length) : name
  return rest !== name && scope.declaresTool(name) === false && scope.declaresTool(rest) === true ? rest : name
}

function learn(identity: Identity, item: JsonObject, scope: ItemScope): void {
  const callId = stringAt(item, "call_id")
  const name = stringAt(item, "name")
  const namespace = stringAt(item, "namespace")
  if (callId) identity.callId ??= callId
  if (name) identity.name ??= withoutPrefix(name, scope)
  if (namespace) identity.namespace ??= namespace
}

/**
 * Models now and then call a function that nobody declared and that bundles several calls:
 * `multi_tool_use.parallel`, also spelled `parallel`.
 */
function namesBundle({ name }: Identity, scope: ItemScope): boolean {
  if (name === "multi_tool_use.parallel") return scope.declaresTool(name) !== true
  return name === "parallel" && scope.declaresTool(name) === false
}

function sendBundle(text: string, identity: Identity, scope: ItemScope): void {
  const uses = bundledUses(text)
  const callId = identity.callId ?? "call_unnamed"
  if (uses === undefined) {
    // Not a bundle after all: hand it on as it is.
    sendCall(scope, { callId, name: identity.name ?? "", input: text })
    return
  }
  for (const [index, use] of uses.entries()) {
    const name = (stringAt(use, "recipient_name") ?? "").replace(/^functions\./, "")
    sendCall(scope, { callId: `${callId}_${index}`, name, input: JSON.stringify(objectAt(use, "parameters") ?? {}) })
  }
}

function bundledUses(text: string): readonly JsonObject[] | undefined {
  // Arguments that do not parse are the client's to judge.
  const uses = arrayAt(parseJsonObject(text) ?? {}, "tool_uses")
  return uses?.every(isJsonObject) && uses.length > 0 ? uses : undefined
}

type WholeCall = { readonly callId: string; readonly name: string; readonly input: string }

function sendCall(scope: ItemScope, { callId, name, input }: WholeCall): void {
  const block = scope.nextBlock()
  scope.emit({ type: "tool-start", block, callId, name, kind: "function" })
  scope.emit({ type: "tool-delta", block, text: jsonTextOf(input) })
  scope.emit({ type: "tool-end", block })
}
