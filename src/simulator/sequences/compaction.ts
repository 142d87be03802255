/** Compaction of a history: exactly one sealed item, possibly behind a message. */

import type { Answer } from "#simulator/answers/answer.ts"

/** The stream: one compaction item. */
export function streamCompaction(answer: Answer): void {
  const id = answer.context.ids.item("cmp")
  answer.start()
  const index = answer.addItem({ id, type: "compaction", encrypted_content: answer.seal().slice(0, 100) })
  answer.finishItem(index, { id, type: "compaction", encrypted_content: answer.seal() })
  answer.complete()
}
