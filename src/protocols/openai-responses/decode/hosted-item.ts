/** Items that have no deltas: images, web searches, compaction and whatever else the upstream runs itself. */

import type { ImageLook } from "#core/events.ts"
import { type JsonObject, type JsonText, jsonTextOf, numberAt, stringAt } from "#core/json.ts"
import { defined } from "#protocols/defined.ts"
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
  const base64 = base64Literal(final, result)
  scope.emit({
    type: "image",
    block: scope.nextBlock(),
    base64,
    format: imageFormatOf(final.json),
    ...lookOf(final.json),
  })
}

/** Hands on a picture as far as it has come. */
export function sendPartialImage({ emit }: Pick<ItemScope, "emit">, event: JsonObject): void {
  const base64 = stringAt(event, "partial_image_b64")
  if (!base64) return
  const index = numberAt(event, "partial_image_index") ?? 0
  emit({ type: "image-partial", index, base64: jsonTextOf(base64), format: imageFormatOf(event), ...lookOf(event) })
}

/** The upstream draws PNG when it does not say. */
function imageFormatOf(json: JsonObject): string {
  return stringAt(json, "output_format") ?? "png"
}

/** How the picture came out, as far as the upstream says. */
function lookOf(json: JsonObject): { readonly look?: ImageLook } {
  const look: ImageLook = defined({
    size: stringAt(json, "size"),
    quality: stringAt(json, "quality"),
    background: stringAt(json, "background"),
    revisedPrompt: stringAt(json, "revised_prompt"),
  })
  return Object.keys(look).length === 0 ? {} : { look }
}

/** Megabytes of base64 are sliced out of the wire text instead of being escaped again. */
function base64Literal(final: FinalItem, result: string): JsonText {
  const sliced = memberText(final.text(), "result")
  // The item's JSON has been parsed, so the member's text is a valid literal; base64 needs no escapes either way.
  return (sliced ?? `"${result}"`) as JsonText
}
