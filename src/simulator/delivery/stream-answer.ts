/** A rendered answer as a response: streamed, or whole for the public API. */

import { isJsonObject, type JsonObject } from "#core/json.ts"
import { type RenderRequest, renderAnswer, servedModel } from "#simulator/answers/render-answer.ts"
import { familyOf, responseHeaders } from "#simulator/answers/response-headers.ts"
import type { UpstreamMode } from "#simulator/checks/checked-call.ts"
import type { Exchange } from "#simulator/exchange.ts"

import { deliverySteps } from "./delivery.ts"
import { makeStreamBody } from "./stream-body.ts"

/** The public API also answers without a stream: with the response object of the terminal event. */
export function answerPublic(exchange: Exchange, rendered: RenderRequest): Response {
  if (rendered.body["stream"] === true) return streamAnswer(exchange, rendered, "api-key")
  const terminal = renderAnswer(exchange.world, rendered).at(-1)?.["response"]
  const response: JsonObject = isJsonObject(terminal) ? terminal : {}
  return Response.json(response, { headers: { server: "sluice-simulator" } })
}

/** Streams the answer with the headers of its mode. */
export function streamAnswer(exchange: Exchange, rendered: RenderRequest, mode: UpstreamMode): Response {
  const { world, request } = exchange
  const { body, account, settings } = rendered
  const headers = responseHeaders(world, {
    mode,
    account,
    servedModel: servedModel(body, settings),
    family: familyOf(body),
    requestHeaders: request.headers,
    statesQuota: settings.quotaHeaders,
  })
  const steps = deliverySteps(renderAnswer(world, rendered), settings)
  const parts = { timers: world.timers, gates: world.gates, signal: request.signal }
  return new Response(makeStreamBody(steps, parts), { headers })
}
