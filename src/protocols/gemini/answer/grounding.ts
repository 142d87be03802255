/** Searches and the sources an answer quotes → `groundingMetadata`. */

import type { NativeItem, UrlCitation } from "#core/events.ts"
import { arrayAt, type JsonText, objectAt, parseJsonObject, readJsonText, stringAt } from "#core/json.ts"

/** Collects what a whole answer is grounded on. */
export type Grounding = {
  readonly text: (block: number, literal: JsonText) => void
  readonly cite: (block: number, citation: UrlCitation) => void
  readonly search: (item: NativeItem) => void
  /** The member as JSON text; undefined when nothing was searched or quoted. */
  readonly whole: () => string | undefined
}

type Cited = { readonly block: number; readonly citation: UrlCitation }

/** Makes an empty collection. */
export function makeGrounding(): Grounding {
  const blocks = new Map<number, JsonText[]>()
  const cited: Cited[] = []
  const queries = new Set<string>()
  return {
    text: (block, literal) => {
      const literals = blocks.get(block)
      if (literals === undefined) blocks.set(block, [literal])
      else literals.push(literal)
    },
    cite: (block, citation) => cited.push({ block, citation }),
    search: item => {
      for (const query of queriesOf(item)) queries.add(query)
    },
    whole: () => {
      if (cited.length === 0 && queries.size === 0) return undefined
      const urls = [...new Set(cited.map(({ citation }) => citation.url))]
      const titles = new Map(cited.map(({ citation }) => [citation.url, citation.title]))
      return JSON.stringify({
        webSearchQueries: [...queries],
        groundingChunks: urls.map(uri => ({ web: { uri, title: titles.get(uri) ?? "" } })),
        groundingSupports: supportsOf(cited, blocks, urls),
      })
    },
  }
}

/** Offsets are bytes of the whole text: clients insert their marks by them. */
function supportsOf(
  cited: readonly Cited[],
  blocks: ReadonlyMap<number, readonly JsonText[]>,
  urls: readonly string[],
) {
  const starts = new Map<number, { readonly text: string; readonly startBytes: number }>()
  let startBytes = 0
  for (const [block, literals] of blocks) {
    const text = literals.map(readJsonText).join("")
    starts.set(block, { text, startBytes })
    startBytes += Buffer.byteLength(text)
  }
  return cited.map(({ block, citation }) => {
    const { text, startBytes: offset } = starts.get(block) ?? { text: "", startBytes: 0 }
    const startIndex = offset + Buffer.byteLength(text.slice(0, citation.startIndex))
    const quoted = text.slice(citation.startIndex, citation.endIndex)
    return {
      segment: { startIndex, endIndex: startIndex + Buffer.byteLength(quoted), text: quoted },
      groundingChunkIndices: [urls.indexOf(citation.url)],
    }
  })
}

function queriesOf({ family, json }: NativeItem): readonly string[] {
  const item = family === "openai-responses" ? parseJsonObject(json) : undefined
  if (item?.["type"] !== "web_search_call") return []
  const action = objectAt(item, "action") ?? {}
  const queries = [stringAt(action, "query"), ...(arrayAt(action, "queries") ?? [])]
  return queries.filter(query => typeof query === "string" && query !== "") as readonly string[]
}
