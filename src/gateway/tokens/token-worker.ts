/** The thread that counts tokens: its table takes half a second to load, which no stream should have to wait for. */

import { countTexts } from "./count-texts.ts"

/** What the thread is asked: texts, and under which number to answer. */
export type CountOrder = { readonly order: number; readonly texts: readonly string[] }

/** What it answers: one count a text; none at all when its table cannot be loaded. */
export type CountReply = { readonly order: number; readonly counts: readonly number[] }

// Imported on the main thread this does nothing.
if (!Bun.isMainThread) {
  const table = import("gpt-tokenizer/encoding/o200k_base")
  // Listening begins at once: an order that came before would be lost.
  self.addEventListener("message", (event: MessageEvent<CountOrder>) => {
    const { order, texts } = event.data
    const answer = (counts: readonly number[]) => self.postMessage({ order, counts } satisfies CountReply)
    table.then(
      ({ countTokens }) => answer(countTexts(texts, countTokens)),
      () => answer([]),
    )
  })
}
