/** `POST /responses`: checks in the backend's order, then the stream. */

import { isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { authorise } from "./access.ts"
import type { UpstreamMode } from "./checked-call.ts"
import { refuseRequest } from "./checks.ts"
import { deliverySteps } from "./delivery.ts"
import type { Endpoint, Exchange } from "./exchange.ts"
import { readPrompt } from "./prompt.ts"
import { exhaustedRefusal } from "./quota-wire.ts"
import { refusalResponse } from "./refusal.ts"
import { type RenderRequest, renderAnswer, servedModel } from "./render-answer.ts"
import { readBody } from "./request-body.ts"
import { familyOf, responseHeaders } from "./response-headers.ts"
import { refuse, startScripted } from "./scripted-endpoint.ts"
import { makeStreamBody } from "./stream-body.ts"
import { quotaView } from "./world.ts"

/** Makes the endpoint for one of the two upstream modes. */
export function makeResponsesEndpoint(mode: UpstreamMode): Endpoint {
  return async exchange => {
    const { world, request } = exchange
    const access = authorise(world, request.headers, mode)
    if ("refusal" in access) return refusalResponse(access.refusal)
    const { account } = access
    exchange.record({ account: account.name })
    const read = await readBody(request)
    if ("refusal" in read) return refusalResponse(read.refusal)
    const { body } = read
    exchange.record({ body })
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

/** The public API also answers without a stream: with the response object of the terminal event. */
function answerPublic(exchange: Exchange, rendered: RenderRequest): Response {
  if (rendered.body["stream"] === true) return streamAnswer(exchange, rendered, "api-key")
  const terminal = renderAnswer(exchange.world, rendered).at(-1)?.["response"]
  const response: JsonObject = isJsonObject(terminal) ? terminal : {}
  return Response.json(response, { headers: { server: "sluice-simulator" } })
}

function streamAnswer(exchange: Exchange, rendered: RenderRequest, mode: UpstreamMode): Response {
  const { world, request } = exchange
  const { body, account, settings } = rendered
  const headers = responseHeaders(world, {
    mode,
    account,
    servedModel: servedModel(body, settings),
    family: familyOf(body),
    requestHeaders: request.headers,
  })
  const steps = deliverySteps(renderAnswer(world, rendered), settings)
  const parts = { timers: world.timers, gates: world.gates, signal: request.signal }
  return new Response(makeStreamBody(steps, parts), { headers })
}
