/** The endpoints of banked resets: the list, and the one that spends. */

import { isJsonObject, type Json, type JsonObject } from "#core/json.ts"

import { authorise } from "./accounts/access.ts"
import type { SimulatedAccount } from "./accounts/accounts.ts"
import { resetCreditsBody } from "./accounts/reset-credits.ts"
import type { Endpoint, Exchange } from "./exchange.ts"
import { detailRefusal, htmlRefusal, type Refusal, refusalResponse } from "./refusal.ts"
import { readBody } from "./request-body.ts"
import { startScripted } from "./scripts/scripted-endpoint.ts"
import type { Settings } from "./scripts/settings.ts"
import { nowSecOf, type World } from "./world.ts"

const SERVER = { server: "sluice-simulator" } as const

/** `GET /wham/rate-limit-reset-credits`. */
export const resetCreditsEndpoint: Endpoint = async exchange => {
  const { world } = exchange
  const begun = await begin(exchange)
  if (begun instanceof Response) return begun
  const credits = world.quota.resetCredits.list(begun.account.name)
  return Response.json(resetCreditsBody(credits, nowSecOf(world)), { headers: SERVER })
}

/**
 * `POST /wham/rate-limit-reset-credits/consume`: one credit a `redeem_request_id`, however often it is sent. With the setting
 * `cut` the credit is spent and the answer is lost.
 */
export const redeemCreditEndpoint: Endpoint = async exchange => {
  const { world, request } = exchange
  const begun = await begin(exchange)
  if (begun instanceof Response) return begun
  const read = await readBody(request)
  if ("refusal" in read) return refusalResponse(read.refusal)
  const { account, settings } = begun
  exchange.record({ account: account.name, body: read.body })
  const complaint = complainAbout(read.body)
  if (complaint !== undefined) return refusalResponse(complaint)
  const { redeem_request_id: requestId, credit_id: creditId } = read.body
  // Both were looked at just above.
  const redemption = { requestId: String(requestId), creditId: creditId === undefined ? undefined : String(creditId) }
  const { code, windowsReset } = world.quota.resetCredits.redeem(account.name, redemption, () =>
    emptyWindows(world, account),
  )
  if (settings.cut !== "none") return refusalResponse(htmlRefusal(502, "<html><title>Bad gateway</title></html>"))
  return Response.json({ code, windows_reset: windowsReset }, { headers: SERVER })
}

type Begun = { readonly account: SimulatedAccount; readonly settings: Settings }

async function begin(exchange: Exchange): Promise<Begun | Response> {
  const access = authorise(exchange.world, exchange.request.headers, "chatgpt")
  if ("refusal" in access) return refusalResponse(access.refusal)
  const { account } = access
  exchange.record({ account: account.name })
  const asked = { endpoint: "reset-credits", account, userText: "", model: "", family: "codex" } as const
  const { settings, response } = await startScripted(exchange, asked)
  return response ?? { account, settings }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const MEMBERS: ReadonlySet<string> = new Set(["redeem_request_id", "credit_id"])

function complainAbout(body: JsonObject): Refusal | undefined {
  if (!isJsonObject(body)) return invalid("body", "Input should be a valid dictionary")
  const unknown = Object.keys(body).find(name => !MEMBERS.has(name))
  if (unknown !== undefined) return invalid(unknown, "Extra inputs are not permitted")
  const { redeem_request_id: requestId, credit_id: creditId } = body
  if (!isText(requestId) || !UUID.test(requestId)) return invalid("redeem_request_id", "Input should be a valid UUID")
  if (creditId !== undefined && !isText(creditId)) return invalid("credit_id", "Input should be a valid string")
  return undefined
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string"
}

function invalid(name: string, message: string): Refusal {
  return detailRefusal([{ type: "value_error", loc: ["body", name], msg: message }], 422)
}

/** Returns how many windows had been used. */
function emptyWindows({ quota }: World, { name, plan }: SimulatedAccount): number {
  const { primary, secondary } = quota.read(name, plan).windows.codex
  const used = [primary, secondary].filter(window => window !== undefined && window.usedPercent > 0).length
  if (used === 0) return 0
  quota.patch(name, plan, {
    primary: { usedPercent: 0, resetsInSec: primary.windowMinutes * 60 },
    ...(secondary !== undefined && { secondary: { usedPercent: 0, resetsInSec: secondary.windowMinutes * 60 } }),
  })
  return used
}
