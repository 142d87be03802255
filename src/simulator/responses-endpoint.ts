/** `POST /responses`: checks in the backend's order, then the stream. */

import { stringAt } from "#core/json.ts"

import type { UpstreamMode } from "./checked-call.ts"
import { refuseRequest } from "./checks.ts"
import type { Endpoint } from "./exchange.ts"
import { openTurn } from "./open-turn.ts"
import { readPrompt } from "./prompt.ts"
import { exhaustedRefusal } from "./quota-wire.ts"
import { familyOf } from "./response-headers.ts"
import { refuse, startScripted } from "./scripted-endpoint.ts"
import { answerPublic, streamAnswer } from "./stream-answer.ts"
import { quotaView } from "./world.ts"

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
