/** What is asked of an account: an ordinary turn, or a search, which is read and written in a form of its own. */

import type { TurnKind } from "#gateway/turn/turn-types.ts"
import { decodeSearchRequest, encodeSearchRequest } from "#protocols/openai-responses/search-request.ts"

/** What `POST /v1/alpha/search` runs. */
export const SEARCH: TurnKind = { endpoint: "search", decode: decodeSearchRequest, encode: encodeSearchRequest }

/** What everything that asks a model by an ordinary turn runs. */
export function ordinaryTurn(encode: TurnKind["encode"]): TurnKind {
  return { endpoint: "turn", encode }
}
