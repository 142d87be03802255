/** A message item with plain text, and the stream that is nothing else. */

import type { Json, JsonObject } from "#core/json.ts"
import { type Answer, deltasOf } from "#simulator/answers/answer.ts"
import { withoutDirective } from "#simulator/answers/prompt.ts"

/** A quoted source inside a message; offsets count characters. */
export type Citation = {
  readonly url: string
  readonly title: string
  readonly startIndex: number
  readonly endIndex: number
}

/** What a message item may carry besides its text. */
export type MessageOptions = { readonly phase?: string; readonly citations?: readonly Citation[] }

/** Writes one whole message item: added, part, deltas, citations, done. An empty text has no delta. */
export function writeMessage(answer: Answer, text: string, options: MessageOptions = {}): void {
  const id = answer.context.ids.item("msg")
  const phase: JsonObject = options.phase === undefined ? {} : { phase: options.phase }
  const base = { id, type: "message", role: "assistant", ...phase }
  const index = answer.addItem({ ...base, status: "in_progress", content: [] })
  const place = { item_id: id, output_index: index, content_index: 0 }
  const annotations = (options.citations ?? []).map(citationJson)
  answer.emit("response.content_part.added", { ...place, part: outputText("", []) })
  for (const delta of text === "" ? [] : deltasOf(text)) {
    answer.emit("response.output_text.delta", { ...place, delta, logprobs: [] })
  }
  for (const [annotationIndex, annotation] of annotations.entries()) {
    answer.emit("response.output_text.annotation.added", { ...place, annotation_index: annotationIndex, annotation })
  }
  answer.emit("response.output_text.done", { ...place, text, logprobs: [] })
  answer.emit("response.content_part.done", { ...place, part: outputText(text, annotations) })
  answer.finishItem(index, { ...base, status: "completed", content: [outputText(text, annotations)] })
}

/** The text a scripted answer says: the stated one, so many words, or one that quotes the question. */
export function scriptedText(answer: Answer): string {
  const { settings, prompt } = answer.context
  if (settings.text !== "") return settings.text
  if (settings.words > 0) return Array.from({ length: settings.words }, (_, index) => `word${index + 1}`).join(" ")
  const question = withoutDirective(prompt.typedText).slice(0, 4000)
  return `This answer comes from the Sluice simulator, not from a model. You asked: ${question}`
}

/** The stream: one message. */
export function streamText(answer: Answer): void {
  answer.start()
  writeMessage(answer, scriptedText(answer))
  answer.complete()
}

/** The stream: progress chatter and the final answer as separate messages. */
export function streamPhases(answer: Answer): void {
  answer.start()
  writeMessage(answer, "The simulator is looking into it.", { phase: "commentary" })
  writeMessage(answer, scriptedText(answer), { phase: "final_answer" })
  answer.complete()
}

/** The stream: a message item that never gets any text. */
export function streamEmptyMessage(answer: Answer): void {
  answer.start()
  writeMessage(answer, "")
  answer.complete()
}

/** The stream: completed without a single output item. */
export function streamEmpty(answer: Answer): void {
  answer.start()
  answer.complete()
}

/** The stream: one delta of `bytes` bytes. */
export function streamLarge(answer: Answer): void {
  answer.start()
  writeMessage(answer, "x".repeat(Math.max(1, answer.context.settings.bytes)))
  answer.complete()
}

/** The stream: text cut short by the model's own limit or a filter; still a success with usage. */
export function streamIncomplete(answer: Answer): void {
  answer.start()
  writeMessage(answer, scriptedText(answer))
  answer.stopEarly(answer.context.settings.reason)
}

function outputText(text: string, annotations: readonly Json[]): JsonObject {
  return { type: "output_text", text, annotations, logprobs: [] }
}

function citationJson(citation: Citation): JsonObject {
  return {
    type: "url_citation",
    start_index: citation.startIndex,
    end_index: citation.endIndex,
    title: citation.title,
    url: citation.url,
  }
}
