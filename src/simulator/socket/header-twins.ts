/** What HTTP says in headers and a socket, which has none for single turns, in its frames. */

import { type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { SimulatedAccount } from "#simulator/accounts/accounts.ts"
import { servedModel } from "#simulator/answers/render-answer.ts"
import { familyOf, responseHeaders } from "#simulator/answers/response-headers.ts"
import { LITE_HEADER } from "#simulator/checks/check-envelope.ts"
import type { Settings } from "#simulator/scripts/settings.ts"
import type { World } from "#simulator/world.ts"

/** Whose socket it is and what its handshake said. */
export type SocketCaller = { readonly world: World; readonly account: SimulatedAccount; readonly headers: Headers }

const TURN_STATE = "x-codex-turn-state"
const LITE_TWIN = "ws_request_header_x_openai_internal_codex_responses_lite"
/** Headers of an HTTP answer that a socket states in a frame. */
const METADATA_HEADERS = [TURN_STATE, "x-models-etag", "openai-model", "x-reasoning-included"] as const

/** There are no headers of single requests on a socket: their twins in the body stand for them. */
export function requestHeaders(handshake: Headers, body: JsonObject): Headers {
  const headers = new Headers(handshake)
  const metadata = objectAt(body, "client_metadata") ?? {}
  headers.delete(LITE_HEADER)
  headers.delete(TURN_STATE)
  if (metadata[LITE_TWIN] === "true") headers.set(LITE_HEADER, "true")
  const state = stringAt(metadata, TURN_STATE)
  if (state !== undefined) headers.set(TURN_STATE, state)
  return headers
}

/** The frame that states what an HTTP answer has in its headers. */
export function metadataEvent(
  { world, account }: SocketCaller,
  body: JsonObject,
  { settings, headers }: { readonly settings: Settings; readonly headers: Headers },
): JsonObject {
  const all = responseHeaders(world, {
    mode: "chatgpt",
    account,
    servedModel: servedModel(body, settings),
    family: familyOf(body),
    requestHeaders: headers,
    statesQuota: false,
  })
  return {
    type: "response.metadata",
    headers: Object.fromEntries(METADATA_HEADERS.map(name => [name, all[name] ?? ""])),
  }
}
