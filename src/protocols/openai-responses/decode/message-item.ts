/** A message under way: text, refusal and citations. */

import type { UrlCitation } from "#core/events.ts"
import { arrayAt, isJsonObject, type Json, type JsonObject, jsonTextOf, numberAt, stringAt } from "#core/json.ts"

import type { DeltaChannel } from "./hot-events.ts"
import type { ItemScope, OutputItem } from "./output-item.ts"
import { makePartLog, type PartLog } from "./part-log.ts"

/** A message also takes citations as they come. */
export type MessageItem = OutputItem & { readonly cite: (part: number, annotation: Json | undefined) => void }

/** Opens a message block at once: an empty message is an answer too. */
export function makeMessageItem(scope: ItemScope, phase: string | undefined): MessageItem {
  const block = scope.nextBlock()
  scope.emit({ type: "text-start", block, ...(phase !== undefined && { phase }) })
  const log = makePartLog()
  const cited = new Set<string>()
  let closed = false
  const delta: OutputItem["delta"] = (channel, part, literal) => {
    if (closed || literal === '""') return
    log.append(partNumber(channel, part), literal)
    scope.emit({ type: channel === "refusal" ? "refusal-delta" : "text-delta", block, text: literal })
  }
  const partDone: OutputItem["partDone"] = (channel, part, full) => {
    const missing = log.missing(partNumber(channel, part), full)
    if (missing !== "") delta(channel, part, jsonTextOf(missing))
  }
  const cite: MessageItem["cite"] = (part, annotation) => {
    const citation = readCitation(annotation, () => lengthBefore(log, part))
    const key = JSON.stringify(citation)
    if (closed || citation === undefined || cited.has(key)) return
    cited.add(key)
    scope.emit({ type: "citation", block, citation })
  }
  const close = () => {
    if (closed) return
    closed = true
    scope.emit({ type: "text-end", block })
  }
  return {
    type: "message",
    delta,
    partDone,
    cite,
    done: final => {
      sendContent(final.json, { partDone, cite })
      close()
    },
    close,
    isClosed: () => closed,
  }
}

/** Sends what the given content part holds and has not been sent. */
export function sendContentPart(part: JsonObject, index: number, to: Pick<MessageItem, "partDone" | "cite">): void {
  const text = stringAt(part, "text")
  if (text !== undefined) to.partDone("text", index, text)
  const refusal = stringAt(part, "refusal")
  if (refusal !== undefined) to.partDone("refusal", index, refusal)
  for (const annotation of arrayAt(part, "annotations") ?? []) to.cite(index, annotation)
}

function sendContent(item: JsonObject, to: Pick<MessageItem, "partDone" | "cite">): void {
  for (const [index, part] of (arrayAt(item, "content") ?? []).entries()) {
    if (isJsonObject(part)) sendContentPart(part, index, to)
  }
}

/** Text and refusal of one part are logged apart. */
function partNumber(channel: DeltaChannel, part: number): number {
  return part * 2 + (channel === "refusal" ? 1 : 0)
}

/** Offsets on the wire count inside one part; ours count inside the message. */
function lengthBefore(log: PartLog, part: number): number {
  let length = 0
  for (let index = 0; index < part; index++) length += log.text(partNumber("text", index)).length
  return length
}

function readCitation(annotation: Json | undefined, offset: () => number): UrlCitation | undefined {
  if (!isJsonObject(annotation) || annotation["type"] !== "url_citation") return undefined
  const url = stringAt(annotation, "url")
  if (url === undefined) return undefined
  const shift = offset()
  return {
    url,
    title: stringAt(annotation, "title") ?? "",
    startIndex: shift + (numberAt(annotation, "start_index") ?? 0),
    endIndex: shift + (numberAt(annotation, "end_index") ?? 0),
  }
}
