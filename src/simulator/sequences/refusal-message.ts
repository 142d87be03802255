/** A message in which the model declines: the answer is complete all the same. */

import { type Answer, deltasOf } from "#simulator/answers/answer.ts"

/** The stream: one message whose only part is a refusal. */
export function streamRefusal(answer: Answer): void {
  const { settings, ids } = answer.context
  const text = settings.text === "" ? "The Sluice simulator declines, because it was told to." : settings.text
  const id = ids.item("msg")
  const base = { id, type: "message", role: "assistant" }
  answer.start()
  const index = answer.addItem({ ...base, status: "in_progress", content: [] })
  const place = { item_id: id, output_index: index, content_index: 0 }
  answer.emit("response.content_part.added", { ...place, part: { type: "refusal", refusal: "" } })
  for (const delta of deltasOf(text)) answer.emit("response.refusal.delta", { ...place, delta })
  const part = { type: "refusal", refusal: text }
  answer.emit("response.refusal.done", { ...place, refusal: text })
  answer.emit("response.content_part.done", { ...place, part })
  answer.finishItem(index, { ...base, status: "completed", content: [part] })
  answer.complete()
}
