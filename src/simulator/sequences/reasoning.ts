/** Reasoning items with encrypted content and summaries, and the streams built on them. */

import { arrayAt, type JsonObject, objectAt } from "#core/json.ts"
import { type Answer, deltasOf } from "#simulator/answers/answer.ts"

import { scriptedText, writeMessage } from "./text.ts"

/**
 * Writes one reasoning item with `parts` summary parts. The encrypted content of `added` is a shorter one than that of
 * `done`, and only the latter can be replayed; both are there only when the request includes them.
 */
export function writeReasoning(answer: Answer, parts: number): void {
  const id = answer.context.ids.item("rs")
  const isIncluded = (arrayAt(answer.context.body, "include") ?? []).includes("reasoning.encrypted_content")
  const sealed = (): JsonObject => (isIncluded ? { encrypted_content: answer.seal() } : {})
  const index = answer.addItem({ id, type: "reasoning", summary: [], ...shortened(sealed()) })
  const summary = Array.from({ length: parts }, (_, part) => summaryText(part))
  for (const [summaryIndex, text] of summary.entries()) {
    writeSummary(answer, { item_id: id, output_index: index, summary_index: summaryIndex }, text)
  }
  answer.finishItem(index, {
    id,
    type: "reasoning",
    summary: summary.map(text => ({ type: "summary_text", text })),
    ...sealed(),
  })
}

/** How many summary parts the request lets through: none unless it asks for a summary. */
export function summaryParts(answer: Answer): number {
  const summary = objectAt(answer.context.body, "reasoning")?.["summary"]
  return typeof summary === "string" && summary !== "none" ? answer.context.settings.summaries : 0
}

/** The stream: reasoning with its summaries, then a message. */
export function streamReasoning(answer: Answer): void {
  answer.start()
  writeReasoning(answer, answer.context.settings.summaries)
  writeMessage(answer, scriptedText(answer))
  answer.complete()
}

/** The stream: reasoning and no message at all. */
export function streamReasoningOnly(answer: Answer): void {
  answer.start()
  writeReasoning(answer, answer.context.settings.summaries)
  answer.complete()
}

function writeSummary(answer: Answer, place: JsonObject, text: string): void {
  answer.emit("response.reasoning_summary_part.added", { ...place, part: { type: "summary_text", text: "" } })
  for (const delta of deltasOf(text)) answer.emit("response.reasoning_summary_text.delta", { ...place, delta })
  answer.emit("response.reasoning_summary_text.done", { ...place, text })
  answer.emit("response.reasoning_summary_part.done", { ...place, part: { type: "summary_text", text } })
}

function summaryText(part: number): string {
  return `**Simulated thought ${part + 1}**\n\nThe simulator pretends to weigh step ${part + 1} of the request.`
}

function shortened(fields: JsonObject): JsonObject {
  const blob = fields["encrypted_content"]
  return typeof blob === "string" ? { encrypted_content: blob.slice(0, 100) } : fields
}
