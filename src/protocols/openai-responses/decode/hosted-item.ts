/** Items that have no deltas: images, web searches, compaction and whatever else the upstream runs itself. */

import { type JsonText, stringAt } from "#core/json.ts"
import { memberText } from "#wire/json-scan.ts"

import type { FinalItem, ItemScope, OutputItem } from "./output-item.ts"

/** Waits for the final form and hands it on whole. */
export function makeHostedItem(scope: ItemScope, type: string): OutputItem {
  let closed = false
  return {
    type,
    delta: () => {},
    partDone: () => {},
    done: final => {
      if (closed) return
      closed = true
      send(scope, type, final)
    },
    close: () => {
      closed = true
    },
    isClosed: () => closed,
  }
}

function send(scope: ItemScope, type: string, final: FinalItem): void {
  const result = type === "image_generation_call" ? stringAt(final.json, "result") : undefined
  if (result === undefined) {
    scope.emit({
      type: "native-item",
      block: scope.nextBlock(),
      item: { family: "openai-responses", json: final.text() },
    })
    return
  }
  if (result === "") return
  const format = stringAt(final.json, "output_format") ?? "png"
  scope.emit({ type: "image", block: scope.nextBlock(), base64: base64Literal(final, result), format })
}

/** Megabytes of base64 are sliced out of the wire text instead of being escaped again. */
function base64Literal(final: FinalItem, result: string): JsonText {
  const sliced = memberText(final.text(), "result")
  // The item's JSON has been parsed, so the member's text is a valid literal; base64 needs no escapes either way.
  return (sliced ?? `"${result}"`) as JsonText
}
