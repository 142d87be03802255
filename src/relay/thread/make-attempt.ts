/** Makes one attempt as the owner has ordered it, up to the point where its answer is known to be one. */

import type { Clock, Timers } from "#core/clock.ts"
import { ERROR_BODY_MS, isRefusal } from "#gateway/turn/dispatch.ts"
import { type HeldHead, holdHead } from "#gateway/turn/hold.ts"
import { upstreamProtocols } from "#protocols/registry.ts"
import { readFault } from "#relay/fault.ts"
import { type HeadResult, listHeaders, type RequestMessage, type RequestOrder } from "#relay/messages.ts"
import type { CarriedSender } from "#transport/carried-sender.ts"
import { readBody } from "#transport/read-body.ts"

/** What an attempt needs. */
export type AttemptParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly send: CarriedSender
}

/** The order to make one. */
export type AttemptOrder = Extract<RequestOrder, { type: "attempt" }>

type Begun = Extract<RequestMessage, { type: "begun" }>

/** What it came to: the message for the owner, and the head of an answer that can be served. */
export type AttemptOutcome = {
  readonly message: Extract<RequestMessage, { type: "unsent" | "refused" | "begun" }>
  readonly answer?: { readonly head: HeldHead; readonly headers: Headers }
}

/** Makes the attempt; never rejects. */
export async function makeAttempt(
  { id, attempt, request, lane }: AttemptOrder,
  signal: AbortSignal,
  parts: AttemptParts,
): Promise<AttemptOutcome> {
  let heardAtMs = lane.startedAtMs
  const begun = (headers: Headers, result: HeadResult): Begun => ({
    type: "begun",
    id,
    attempt,
    headers: listHeaders(headers),
    heardAtMs,
    result,
  })
  let headers: Headers | undefined
  try {
    const reply = await parts.send(request, signal)
    heardAtMs = parts.clock()
    const { status } = reply
    const body = reply.body ?? undefined
    if (body === undefined || isRefusal({ status, headers: reply.headers, body })) {
      const { text } = await readBody(body, { timers: parts.timers, deadlineMs: ERROR_BODY_MS, signal })
      return { message: { type: "refused", id, attempt, status, headers: listHeaders(reply.headers), text } }
    }
    headers = reply.headers
    const probe = upstreamProtocols["openai-responses"].makeProbe({ maxFrameBytes: lane.maxFrameBytes })
    const head = await holdHead(body, probe, () => {
      heardAtMs = parts.clock()
    })
    const message = begun(headers, head.result)
    if (head.result.type !== "failure") return { message, answer: { head, headers } }
    head.reader.cancel().catch(() => {
      // Broken already: there is nothing to give back.
    })
    return { message }
  } catch (cause) {
    const fault = readFault(cause)
    if (headers === undefined) return { message: { type: "unsent", id, attempt, fault } }
    return { message: begun(headers, { type: "broken", fault }) }
  }
}
