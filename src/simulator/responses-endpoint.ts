/** `POST /responses`: checks in the backend's order, then the stream. */

import { stringAt } from "#core/json.ts"

import { exhaustedRefusal } from "./accounts/quota-wire.ts"
import { readPrompt } from "./answers/prompt.ts"
import { familyOf } from "./answers/response-headers.ts"
import type { UpstreamMode } from "./checks/checked-call.ts"
import { refuseRequest } from "./checks/checks.ts"
import { openTurn } from "./delivery/open-turn.ts"
import { answerPublic, streamAnswer } from "./delivery/stream-answer.ts"
import type { Endpoint } from "./exchange.ts"
import { quotaView } from "./quota-view.ts"
import { refuse, startScripted } from "./scripts/scripted-endpoint.ts"

/** Makes the endpoint for one of the two upstream modes. */
export function makeResponsesEndpoint(mode: UpstreamMode): Endpoint {
  return async exchange => {
    const { world, request } = exchange
    const turn = await openTurn(exchange, mode)
    if ("response" in turn) return turn.response
    const { account, body } = turn
    const asked = {
      endpoint: "responses",
      account,
      userText: readPrompt(body).userText,
      model: stringAt(body, "model") ?? "",
      family: familyOf(body),
    } as const
    const { settings, response } = await startScripted(exchange, asked)
    if (response !== undefined) return response
    const call = { mode, endpoint: "responses", headers: request.headers, body, account, rules: world.rules() } as const
    const refusal = refuseRequest(call)
    if (refusal !== undefined) return refuse(exchange, refusal, asked)
    if (mode === "api-key")
      return answerPublic(exchange, { body, account, settings: { ...settings, fullOutput: true } })
    const view = quotaView(world, account, asked.family)
    if (world.quota.isExhausted(view.state, asked.family)) return refuse(exchange, exhaustedRefusal(view), asked)
    world.quota.book(account.name, account.plan, asked.family)
    return streamAnswer(exchange, { body, account, settings }, mode)
  }
}
