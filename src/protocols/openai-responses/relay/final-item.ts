/** Prepares a finished item for the client and for the rebuilt `output` list. Texts are byte texts. */

import { arrayAt, isJsonObject, type JsonObject, parseJsonObject, stringAt } from "#core/json.ts"
import { byteTextOfUtf8, utf8OfByteText } from "#wire/bytes.ts"
import { elementTexts, withMembers } from "#wire/json-scan.ts"

/** What an item is completed with. */
export type ItemRepair = {
  /** Upstream tool name → client name. */
  readonly toolNames: ReadonlyMap<string, string>
  /** Stands in for a missing item id. */
  readonly fallbackId: string
}

/** Returns the item's text with the client's tool name, an id and `annotations` lists; unchanged when all is there. */
export function repairItem(itemText: string, item: JsonObject, repair: ItemRepair): string {
  const values = new Map<string, string>()
  const name = stringAt(item, "name")
  const clientName = name === undefined ? undefined : repair.toolNames.get(name)
  if (clientName !== undefined) values.set("name", literalBytes(clientName))
  if (stringAt(item, "id") === undefined) values.set("id", literalBytes(repair.fallbackId))
  const content = repairContent(item)
  if (content !== undefined) values.set("content", content)
  if (values.size === 0) return itemText
  return withMembers(itemText, values) ?? itemText
}

/** Repairs every item of a list the upstream filled itself. */
export function repairOutput(outputText: string, repair: ItemRepair): string {
  const texts = elementTexts(outputText)
  if (texts === undefined) return outputText
  const repaired = texts.map((text, index) => {
    const item = parseJsonObject(utf8OfByteText(text))
    return item === undefined
      ? text
      : repairItem(text, item, { ...repair, fallbackId: `${repair.fallbackId}_${index}` })
  })
  return repaired.every((text, index) => text === texts[index]) ? outputText : `[${repaired.join(",")}]`
}

/** The official SDK's types promise an `annotations` list in every text part. */
function repairContent(item: JsonObject): string | undefined {
  const content = arrayAt(item, "content") ?? []
  const isBare = (part: unknown) =>
    isJsonObject(part) && part["type"] === "output_text" && arrayAt(part, "annotations") === undefined
  if (!content.some(isBare)) return undefined
  const whole = content.map(part => (isJsonObject(part) && isBare(part) ? { ...part, annotations: [] } : part))
  return byteTextOfUtf8(JSON.stringify(whole))
}

function literalBytes(text: string): string {
  return byteTextOfUtf8(JSON.stringify(text))
}
