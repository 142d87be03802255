/** What a cell's upstream saw. */

import { isJsonObject } from "#core/json.ts"

import type { Place, Turn } from "./cell.ts"

/** Turns in the order in which they came, over HTTP and over sockets. A turn under way has the status 0. */
export function turnsOf({ gateway }: Pick<Place, "gateway">): readonly Turn[] {
  return gateway.control
    .recorded({ path: "/backend-api/codex/responses" })
    .filter(({ method }) => method !== "GET")
    .map(({ account = "", status = 0, body }) => ({ account, status, body: isJsonObject(body) ? body : {} }))
}
