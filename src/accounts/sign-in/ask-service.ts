/** One question to the sign-in service: its answer, or why there was none. */

import { GatewayError } from "#core/errors.ts"
import { type JsonObject, objectAt, parseJsonObject, stringAt } from "#core/json.ts"
import type { SendUpstream, UpstreamRequest } from "#core/upstream.ts"

import { refuse, type SignInRefusal, safeCode } from "./refusal.ts"

/** The service, and the way to it. */
export type SignInService = {
  /** Without a slash at its end. */
  readonly issuer: string
  readonly clientId: string
  readonly send: SendUpstream
}

/** An answer of any status; `body` is undefined when it was no JSON object. */
export type ServiceAnswer = {
  readonly type: "answer"
  readonly status: number
  readonly body: JsonObject | undefined
}

/** Longest wait for one answer. */
const TIMEOUT_MS = 30_000

/** Asks. Not reaching the service is a refusal, except that an abort of `signal` rejects as the sender rejects. */
export async function askService(
  service: SignInService,
  request: UpstreamRequest,
  signal: AbortSignal,
): Promise<ServiceAnswer | SignInRefusal> {
  try {
    const reply = await service.send(request, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]))
    const text = await new Response(reply.body ?? null).text()
    return { type: "answer", status: reply.status, body: parseJsonObject(text) }
  } catch (error) {
    if (signal.aborted) throw error
    // Turned into a value like every other way a sign-in can end; the operator reads it on the spot.
    const reason = error instanceof GatewayError ? error.message : "The connection broke off."
    return refuse(
      "not_reached",
      `The sign-in service at ${service.issuer} gave no answer. ${reason}`,
      "Check the network, `proxy-url` and `oauth.issuer`, then start the sign-in again.",
    )
  }
}

/** Returns the code of an error body: `{error: {code}}`, `{error: "invalid_grant"}` or `{code}`. */
export function errorCodeOf({ body }: ServiceAnswer): string | undefined {
  if (body === undefined) return undefined
  const error = objectAt(body, "error")
  return safeCode(error === undefined ? (stringAt(body, "error") ?? stringAt(body, "code")) : stringAt(error, "code"))
}

/** Reads a status that says nothing about this sign-in: the service is busy, or something in front of it spoke. */
export function refuseElsewhere(answer: ServiceAnswer): SignInRefusal | undefined {
  const { status } = answer
  if (status === 429 || status >= 500) {
    return refuse(
      `status_${status}`,
      `The sign-in service is busy (status ${status}).`,
      "Wait a minute and start the sign-in again.",
    )
  }
  if (status === 403 && answer.body === undefined) {
    return refuse(
      "challenge",
      "Something in front of the sign-in service stopped the request (status 403).",
      "Try again later, or from another network; `proxy-url` names the way out.",
    )
  }
  return undefined
}
