/** `GET /responses` with an upgrade: the handshake of the WebSocket variant. */

import { authorise } from "#simulator/accounts/access.ts"
import type { Endpoint } from "#simulator/exchange.ts"
import { detailRefusal, refusalResponse } from "#simulator/refusal.ts"
import { startScripted } from "#simulator/scripts/scripted-endpoint.ts"

import { makeSocketSession } from "./socket-session.ts"

const BETA = /\bresponses_websockets=\d{4}-\d{2}-\d{2}\b/

/** Who may come in is decided as for a turn over HTTP; what it may ask is decided frame by frame. */
export const socketEndpoint: Endpoint = async exchange => {
  const { world, request, url } = exchange
  const { headers } = request
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return refusalResponse(noHttp())
  const access = authorise(world, headers, "chatgpt")
  if ("refusal" in access) return refusalResponse(access.refusal)
  const { account } = access
  exchange.record({ account: account.name })
  const asked = { endpoint: "socket", account, userText: "", model: "", family: "codex" } as const
  const { response } = await startScripted(exchange, asked)
  if (response !== undefined) return response
  const rules = world.rules()
  if (!rules.serveSockets) return refusalResponse(noHttp())
  if (!BETA.test(headers.get("openai-beta") ?? "")) return refusalResponse(detailRefusal("Missing OpenAI-Beta header"))
  // Seen as a 403 without a body from about fifty open sockets of one account on.
  if (world.sockets.countOf(account.name) >= rules.maxSocketsPerAccount) {
    return refusalResponse({ status: 403, contentType: "text/plain", body: "" })
  }
  const session = makeSocketSession({ world, account, headers: new Headers(headers) }, url.pathname)
  return exchange.upgrade(session) ? "upgraded" : refusalResponse(noHttp())
}

/** Clients fall back to HTTP at once. */
function noHttp() {
  return detailRefusal("Upgrade Required", 426)
}
