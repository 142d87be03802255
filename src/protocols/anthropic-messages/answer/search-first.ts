/** Holds an answer back whose search results only its own citations can name. */

import type { EmitEvent, StreamEvent, UrlCitation } from "#core/events.ts"
import { arrayAt, type JsonObject, objectAt } from "#core/json.ts"

import { readSearch } from "./search-blocks.ts"

/**
 * Returns a function that takes events and hands them on at once until the first search; from there on it waits for the
 * end of the answer, and adds the cited pages to the last search. For requests that ask for nothing but a search: their
 * clients read the result blocks and not the text.
 */
export function holdForSources(next: EmitEvent): EmitEvent {
  let held: StreamEvent[] | undefined
  return event => {
    if (held === undefined && event.type === "native-item" && readSearch(event) !== undefined) held = []
    if (event.type === "finish" && held !== undefined) {
      for (const waiting of withCitedSources(held)) next(waiting)
      held = undefined
    }
    // What was said before a failure is of no use to a client that waits for results.
    if (held === undefined || event.type === "error") next(event)
    else held.push(event)
  }
}

function withCitedSources(events: readonly StreamEvent[]): readonly StreamEvent[] {
  const cited = events.flatMap(event => (event.type === "citation" ? [event.citation] : []))
  const last = events.findLastIndex(event => event.type === "native-item" && readSearch(event) !== undefined)
  return events.map((event, index) => {
    if (index !== last || event.type !== "native-item") return event
    const search = readSearch(event)
    return search === undefined ? event : { ...event, item: { ...event.item, json: addSources(search, cited) } }
  })
}

/** One entry a page; a citation may know the title that the list of sources lacks. */
function addSources(search: JsonObject, cited: readonly UrlCitation[]): string {
  const action = objectAt(search, "action") ?? {}
  const titles = new Map(cited.map(({ url, title }) => [url, title]))
  const listed = (arrayAt(action, "sources") ?? []).flatMap(source => {
    const url = typeof source === "object" && source !== null && "url" in source ? source["url"] : undefined
    return typeof url === "string" ? [url] : []
  })
  const urls = new Set([...listed, ...titles.keys()])
  const sources = [...urls].map(url => ({ type: "url", url, title: titles.get(url) ?? "" }))
  return JSON.stringify({ ...search, action: { ...action, sources } })
}
