/** `POST /responses/compact`: the older, unary compaction; retired unless the rules say otherwise. */

import { stringAt } from "#core/json.ts"

import { inputItems } from "./answers/prompt.ts"
import { familyOf } from "./answers/response-headers.ts"
import { refuseRequest } from "./checks/checks.ts"
import { openTurn } from "./delivery/open-turn.ts"
import type { Endpoint } from "./exchange.ts"
import { detailRefusal, refusalResponse } from "./refusal.ts"
import { refuse, startScripted } from "./scripts/scripted-endpoint.ts"
import { seal } from "./seal.ts"
import { nowSecOf } from "./world.ts"

/** The endpoint. Keeps user and developer messages and puts one sealed item behind them. */
export const compactEndpoint: Endpoint = async exchange => {
  const { world, request } = exchange
  const turn = await openTurn(exchange, "chatgpt")
  if ("response" in turn) return turn.response
  const { account, body } = turn
  const asked = {
    endpoint: "compact",
    account,
    userText: "",
    model: stringAt(body, "model") ?? "",
    family: familyOf(body),
  } as const
  const { response } = await startScripted(exchange, asked)
  if (response !== undefined) return response
  const rules = world.rules()
  if (!rules.serveCompactV1) return refusalResponse(detailRefusal("Not Found", 404))
  const call = { mode: "chatgpt", endpoint: "compact", headers: request.headers, body, account, rules } as const
  const refusal = refuseRequest(call)
  if (refusal !== undefined) return refuse(exchange, refusal, asked)
  const kept = inputItems(body).filter(item => item["role"] === "user" || item["role"] === "developer")
  const blob = seal(account, { nowSec: nowSecOf(world), filler: world.ids.hex(64) })
  const item = { type: "compaction", id: world.ids.item("cmp"), encrypted_content: blob }
  return Response.json({ output: [...kept, item] }, { headers: { server: "sluice-simulator" } })
}
