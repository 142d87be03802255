/** What `fetch` throws, on its way between threads: what the transport reads of it, and nothing else. */

import { GatewayError } from "#core/errors.ts"

import { freezeError, thawError } from "./frozen-error.ts"
import { type Fault, listHeaders, readHeaders } from "./messages.ts"

/** Reads what `fetch`, or reading its body, has thrown. Anything else is a bug and becomes `internal`. */
export function readFault(cause: unknown): Fault {
  const isRuntime = cause instanceof TypeError || (cause instanceof Error && "code" in cause)
  if (cause instanceof GatewayError || !isRuntime) return { type: "known", error: freezeError(cause) }
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined
  return { type: "runtime", message: cause.message, code, refusal: refusalOf(cause) }
}

type Refusal = Extract<Fault, { type: "runtime" }>["refusal"]

/** Bun's error for a tunnel that was refused carries status and headers of the proxy's answer. */
function refusalOf(cause: Error): Refusal {
  if (!("status" in cause && "headers" in cause)) return undefined
  const { status, headers } = cause
  if (typeof status !== "number" || !(headers instanceof Headers)) return undefined
  return { status, headers: listHeaders(headers) }
}

/** Makes an error that the transport reads as it would have read the first one. */
export function thrownBy(fault: Fault): Error {
  if (fault.type === "known") return thawError(fault.error)
  const { message, code, refusal } = fault
  return Object.assign(new TypeError(message), {
    ...(code !== undefined && { code }),
    ...(refusal !== undefined && { status: refusal.status, headers: readHeaders(refusal.headers) }),
  })
}
