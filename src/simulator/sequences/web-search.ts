/** Hosted web search: search items between reasoning, and a message that cites what was found. */

import type { Answer } from "#simulator/answers/answer.ts"

import { writeMessage } from "./text.ts"

const SOURCE = { url: "https://simulator.invalid/found", title: "A simulated source" } as const

/** Writes one search item: in progress, searching, completed, done. */
function writeWebSearch(answer: Answer, query: string): void {
  const id = answer.context.ids.item("ws")
  const index = answer.addItem({ id, type: "web_search_call", status: "in_progress" })
  for (const step of ["in_progress", "searching", "completed"]) {
    answer.emit(`response.web_search_call.${step}`, { output_index: index, item_id: id })
  }
  const action = { type: "search", query, queries: [query], sources: [{ type: "url", url: SOURCE.url }] }
  answer.finishItem(index, { id, type: "web_search_call", status: "completed", action })
}

/** The stream: a search and a message with one citation. */
export function streamWebSearch(answer: Answer): void {
  const lead = "The Sluice simulator found nothing, because it searched nothing. "
  const quoted = "See the simulated source."
  answer.start()
  writeWebSearch(answer, answer.context.prompt.typedText.slice(0, 200))
  const citation = { ...SOURCE, startIndex: lead.length, endIndex: lead.length + quoted.length }
  writeMessage(answer, lead + quoted, { citations: [citation] })
  answer.complete()
}
