/** A reasoning item under way: summaries and raw reasoning share one block, parts are set apart by a blank line. */

import { arrayAt, isJsonObject, type JsonObject, jsonTextOf, stringAt } from "#core/json.ts"

import type { DeltaChannel } from "./hot-events.ts"
import type { ItemScope, OutputItem } from "./output-item.ts"
import { makePartLog } from "./part-log.ts"

const BLANK_LINE = jsonTextOf("\n\n")

/** Opens a reasoning block at once. */
export function makeReasoningItem(scope: ItemScope): OutputItem {
  const block = scope.nextBlock()
  scope.emit({ type: "reasoning-start", block })
  const log = makePartLog()
  let closed = false
  let lastPart = -1
  const delta: OutputItem["delta"] = (channel, part, literal) => {
    if (closed || literal === '""') return
    const number = partNumber(channel, part)
    if (lastPart !== -1 && lastPart !== number) scope.emit({ type: "reasoning-delta", block, text: BLANK_LINE })
    lastPart = number
    log.append(number, literal)
    scope.emit({ type: "reasoning-delta", block, text: literal })
  }
  const partDone: OutputItem["partDone"] = (channel, part, full) => {
    const missing = log.missing(partNumber(channel, part), full)
    if (missing !== "") delta(channel, part, jsonTextOf(missing))
  }
  const close = (seal?: string) => {
    if (closed) return
    closed = true
    const item = seal === undefined ? {} : { seal: { family: "openai-responses", json: seal } as const }
    scope.emit({ type: "reasoning-end", block, ...item })
  }
  return {
    type: "reasoning",
    delta,
    partDone,
    done: final => {
      sendTexts(final.json, partDone)
      // Only the encrypted content of the final item can be replayed; the one in `added` differs.
      close(stringAt(final.json, "encrypted_content") ? final.text() : undefined)
    },
    close: () => close(),
    isClosed: () => closed,
  }
}

function sendTexts(item: JsonObject, partDone: OutputItem["partDone"]): void {
  for (const [key, channel] of [
    ["summary", "summary"],
    ["content", "reasoning"],
  ] as const) {
    for (const [index, part] of (arrayAt(item, key) ?? []).entries()) {
      const text = isJsonObject(part) ? stringAt(part, "text") : undefined
      if (text !== undefined) partDone(channel, index, text)
    }
  }
}

function partNumber(channel: DeltaChannel, part: number): number {
  return part * 2 + (channel === "reasoning" ? 1 : 0)
}
