/** `POST /responses/compact`: the older, unary compaction; retired unless the rules say otherwise. */

import { stringAt } from "#core/json.ts"

import { authorise } from "./access.ts"
import { refuseRequest } from "./checks.ts"
import type { Endpoint } from "./exchange.ts"
import { inputItems } from "./prompt.ts"
import { detailRefusal, refusalResponse } from "./refusal.ts"
import { readBody } from "./request-body.ts"
import { familyOf } from "./response-headers.ts"
import { refuse, startScripted } from "./scripted-endpoint.ts"
import { seal } from "./seal.ts"
import { nowSecOf } from "./world.ts"

/** The endpoint. Keeps user and developer messages and puts one sealed item behind them. */
export const compactEndpoint: Endpoint = async exchange => {
  const { world, request } = exchange
  const access = authorise(world, request.headers, "chatgpt")
  if ("refusal" in access) return refusalResponse(access.refusal)
  const { account } = access
  exchange.record({ account: account.name })
  const read = await readBody(request)
  if ("refusal" in read) return refusalResponse(read.refusal)
  const { body } = read
  exchange.record({ body })
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
