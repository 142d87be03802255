/** What every model turn begins with: who asks, and a readable body. */

import type { JsonObject } from "#core/json.ts"
import { authorise } from "#simulator/accounts/access.ts"
import type { SimulatedAccount } from "#simulator/accounts/accounts.ts"
import type { UpstreamMode } from "#simulator/checks/checked-call.ts"
import type { Exchange } from "#simulator/exchange.ts"
import { refusalResponse } from "#simulator/refusal.ts"
import { readBody } from "#simulator/request-body.ts"

/** An authorised turn, or the refusal that ends it. */
export type OpenedTurn =
  | { readonly account: SimulatedAccount; readonly body: JsonObject }
  | { readonly response: Response }

/** Authorises first and reads then, as the backend does; both are recorded. */
export async function openTurn(exchange: Exchange, mode: UpstreamMode): Promise<OpenedTurn> {
  const access = authorise(exchange.world, exchange.request.headers, mode)
  if ("refusal" in access) return { response: refusalResponse(access.refusal) }
  exchange.record({ account: access.account.name })
  const read = await readBody(exchange.request)
  if ("refusal" in read) return { response: refusalResponse(read.refusal) }
  exchange.record({ body: read.body })
  return { account: access.account, body: read.body }
}
