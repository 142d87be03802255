/** One turn on a socket: the checks of the HTTP endpoint, and frames instead of a body. */

import { isJsonObject, type JsonObject, stringAt } from "#core/json.ts"
import { exhaustedRefusal, quotaHeaders, rateLimitsEvent } from "#simulator/accounts/quota-wire.ts"
import { readPrompt } from "#simulator/answers/prompt.ts"
import { renderAnswer } from "#simulator/answers/render-answer.ts"
import { familyOf } from "#simulator/answers/response-headers.ts"
import { refuseRequest } from "#simulator/checks/checks.ts"
import { quotaView } from "#simulator/quota-view.ts"
import type { Refusal } from "#simulator/refusal.ts"
import { settleScripted } from "#simulator/scripts/scripted-endpoint.ts"
import type { Settings } from "#simulator/scripts/settings.ts"

import type { CreateFrame } from "./create-frame.ts"
import { metadataEvent, requestHeaders, type SocketCaller } from "./header-twins.ts"

/** What a turn came to before any of its frames is sent. */
export type PreparedTurn =
  | { readonly refusal: Refusal; readonly headers: Readonly<Record<string, string>> }
  | {
      /** Frames about the account and the connection, in front of the answer's own. */
      readonly asides: readonly JsonObject[]
      readonly events: readonly JsonObject[]
      readonly settings: Settings
    }

/** Settles the scripts, waits as they say, and checks in the order of the HTTP endpoint. */
export async function prepareTurn(
  { body, isPrewarm }: CreateFrame,
  caller: SocketCaller,
  signal: AbortSignal,
): Promise<PreparedTurn> {
  const { world, account } = caller
  const asked = {
    endpoint: "responses",
    account,
    userText: readPrompt(body).userText,
    model: stringAt(body, "model") ?? "",
    family: familyOf(body),
  } as const
  const { settings, refusal: scripted } = await settleScripted({ world, signal }, asked)
  const headers = requestHeaders(caller.headers, body)
  const view = quotaView(world, account, asked.family)
  const call = { mode: "chatgpt", endpoint: "responses", headers, body, account, rules: world.rules() } as const
  const spent = world.quota.isExhausted(view.state, asked.family) ? exhaustedRefusal(view) : undefined
  const refusal = scripted ?? refuseRequest(call) ?? spent
  if (refusal !== undefined) return { refusal, headers: refusal.status === 429 ? quotaHeaders(view) : {} }
  if (!isPrewarm) world.quota.book(account.name, account.plan, asked.family)
  const answered: Settings = isPrewarm ? { ...settings, sequence: "empty" } : settings
  const asides = [metadataEvent(caller, body, { settings, headers })]
  if (settings.quotaHeaders) asides.push(rateLimitsEvent(quotaView(world, account, asked.family)))
  return { asides, events: renderAnswer(world, { body, account, settings: answered }), settings }
}

/** The items an answer has finished, as the next turn's context has them. */
export function itemsOf(events: readonly JsonObject[]): readonly JsonObject[] {
  return events
    .filter(event => event["type"] === "response.output_item.done")
    .map(event => event["item"])
    .filter(isJsonObject)
}
