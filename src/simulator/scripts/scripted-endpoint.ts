/** What every scriptable endpoint does before its own work: the account's scripts, a pause, a scripted refusal. */

import type { SimulatedAccount } from "#simulator/accounts/accounts.ts"
import type { QuotaFamily } from "#simulator/accounts/quota.ts"
import { quotaHeaders } from "#simulator/accounts/quota-wire.ts"
import { pause } from "#simulator/delivery/stream-body.ts"
import type { Exchange } from "#simulator/exchange.ts"
import { quotaView } from "#simulator/quota-view.ts"
import { type Refusal, refusalResponse } from "#simulator/refusal.ts"
import type { World } from "#simulator/world.ts"

import { writeScriptedRefusal } from "./scripted-refusals.ts"
import type { ScriptEndpoint } from "./scripts.ts"
import type { Settings } from "./settings.ts"

/** Whose request it is and what it is about. */
export type ScriptedRequest = {
  readonly endpoint: ScriptEndpoint
  readonly account: SimulatedAccount
  readonly userText: string
  readonly model: string
  readonly family: QuotaFamily
}

/** The settings in force, and the response that replaces the endpoint's own. */
export type ScriptedStart = { readonly settings: Settings; readonly response: Response | undefined }

/** Settles the scripts, waits as they say and writes the refusal they ask for. */
export async function startScripted(exchange: Exchange, asked: ScriptedRequest): Promise<ScriptedStart> {
  const { world, request } = exchange
  const { settings, refusal } = await settleScripted({ world, signal: request.signal }, asked)
  return { settings, response: refusal === undefined ? undefined : refuse(exchange, refusal, asked) }
}

/** The same without the form of the answer. `signal` aborts when the client is gone. */
export async function settleScripted(
  { world, signal }: { readonly world: World; readonly signal: AbortSignal },
  asked: ScriptedRequest,
): Promise<{ readonly settings: Settings; readonly refusal: Refusal | undefined }> {
  const { endpoint, account, userText, model, family } = asked
  const settings = world.scripts.settle({ endpoint, account: account.name, userText })
  if (settings.headersDelayMs > 0) await pause({ timers: world.timers, signal }, settings.headersDelayMs)
  if (settings.hold !== "" && settings.holdAfterEvents < 0) await world.gates.wait(settings.hold, signal)
  const refusal = writeScriptedRefusal({ settings, model, quota: quotaView(world, account, family) })
  return { settings, refusal }
}

/** A refusal with the account's quota headers, as the backend sends them beside an error. */
export function refuse(
  exchange: Exchange,
  refusal: Refusal,
  asked: Pick<ScriptedRequest, "account" | "family">,
): Response {
  const headers = refusal.status === 429 ? quotaHeaders(quotaView(exchange.world, asked.account, asked.family)) : {}
  return refusalResponse(refusal, { ...headers, "x-oai-request-id": exchange.world.ids.uuid() })
}
