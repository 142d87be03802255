/** `GET /models`, the usage endpoints and the banked resets: what an account may see about itself. */

import { authorise } from "./accounts/access.ts"
import type { SimulatedAccount } from "./accounts/accounts.ts"
import { usageBody } from "./accounts/quota-wire.ts"
import type { UpstreamMode } from "./checks/checked-call.ts"
import type { Endpoint, Exchange } from "./exchange.ts"
import { modelInfo, modelsEtag, modelsFor, SIMULATED_MODELS } from "./models.ts"
import { quotaView } from "./quota-view.ts"
import { refusalResponse } from "./refusal.ts"
import { redeemCreditEndpoint, resetCreditsEndpoint } from "./reset-credits-endpoint.ts"
import { startScripted } from "./scripts/scripted-endpoint.ts"
import type { ScriptEndpoint } from "./scripts/scripts.ts"
import { nowSecOf } from "./world.ts"

const SERVER = { server: "sluice-simulator" } as const

/** `GET /models?client_version=`: filtered by version, plan and roll-out, with an ETag. */
const modelsEndpoint: Endpoint = exchange =>
  answerFor(exchange, { mode: "chatgpt", endpoint: "models" }, account => {
    const models = modelsFor(account, exchange.url.searchParams.get("client_version") ?? "")
    const etag = modelsEtag(models, exchange.world.modelsRevision())
    const headers = { ...SERVER, etag }
    if (exchange.request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers })
    const preference = { prefer_websockets: exchange.world.rules().preferSockets }
    const listed = models.map((model, index) => ({ ...modelInfo(model, index), ...preference }))
    return Response.json({ models: listed }, { headers })
  })

/** `GET /v1/models`: the public list. */
const publicModelsEndpoint: Endpoint = exchange =>
  answerFor(exchange, { mode: "api-key", endpoint: "models" }, () => {
    const created = nowSecOf(exchange.world)
    const listed = SIMULATED_MODELS.filter(model => model.isListed && !model.isSpark)
    const data = listed.map(model => ({ id: model.slug, object: "model", created, owned_by: "sluice-simulator" }))
    return Response.json({ object: "list", data }, { headers: SERVER })
  })

/** `GET /wham/usage`: the same state as the quota headers; costs nothing. */
const usageEndpoint: Endpoint = exchange =>
  answerFor(exchange, { mode: "chatgpt", endpoint: "usage" }, account =>
    Response.json(usageBody(quotaView(exchange.world, account, "codex")), { headers: SERVER }),
  )

type EndpointFacts = { readonly mode: UpstreamMode; readonly endpoint: ScriptEndpoint }

async function answerFor(
  exchange: Exchange,
  facts: EndpointFacts,
  answer: (account: SimulatedAccount) => Response,
): Promise<Response> {
  const access = authorise(exchange.world, exchange.request.headers, facts.mode)
  if ("refusal" in access) return refusalResponse(access.refusal)
  const { account } = access
  exchange.record({ account: account.name })
  const asked = { endpoint: facts.endpoint, account, userText: "", model: "", family: "codex" } as const
  const { response } = await startScripted(exchange, asked)
  return response ?? answer(account)
}

/** Where each of them stands. */
export const ACCOUNT_ROUTES: readonly (readonly [string, Endpoint])[] = [
  ["GET /backend-api/codex/models", modelsEndpoint],
  ["GET /v1/models", publicModelsEndpoint],
  ["GET /backend-api/codex/usage", usageEndpoint],
  ["GET /backend-api/wham/usage", usageEndpoint],
  ["GET /api/codex/usage", usageEndpoint],
  ["GET /backend-api/wham/rate-limit-reset-credits", resetCreditsEndpoint],
  ["POST /backend-api/wham/rate-limit-reset-credits/consume", redeemCreditEndpoint],
]
