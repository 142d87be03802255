/** Turns what Bun's fetch throws into a GatewayError that says how far the request got. */

import { GatewayError } from "#core/errors.ts"

import { SOCKS_FAILURES, type SocksFailureCode } from "./socks/failure.ts"

/**
 * How far a request got: `connect` – it provably never reached the upstream (DNS, TCP, TLS, proxy), so another account
 * may send it at no risk; `headers` – it may have been received, no answer came; `body` – the answer broke off.
 */
export type TransportPhase = "connect" | "headers" | "body"

/** What failed below HTTP; the `cause` of the `GatewayError`s the transport throws. */
export class TransportFault extends Error {
  override readonly name = "TransportFault"
  readonly phase: TransportPhase
  /** The way out is at fault, not the upstream behind it: other accounts on it will meet the same. */
  readonly egressAtFault: boolean
  /** The runtime's code, e.g. `ECONNREFUSED`. */
  readonly code: string

  constructor(facts: { phase: TransportPhase; egressAtFault: boolean; code: string }, cause: unknown) {
    super(`${facts.code} in phase ${facts.phase}`, { cause })
    this.phase = facts.phase
    this.egressAtFault = facts.egressAtFault
    this.code = facts.code
  }
}

/** Returns the transport's own facts behind an error, undefined when it came from elsewhere. */
export function transportFaultOf(error: GatewayError): TransportFault | undefined {
  return error.cause instanceof TransportFault ? error.cause : undefined
}

/** Codes that Bun's fetch (1.4.5) gives before a byte of the request has left; all reproduced on loopback or documented. */
const NOT_DISPATCHED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EMFILE",
  "ENFILE",
  "EPROTO",
  "ERR_PROXY_TUNNEL",
  "UnsupportedProxyProtocol",
  "ConnectionRefused",
  "FailedToOpenSocket",
])

/** Certificate codes have no common prefix: `DEPTH_ZERO_SELF_SIGNED_CERT`, `CERT_HAS_EXPIRED`, `ERR_TLS_CERT_…`, … */
const CERTIFICATE_CODE = /CERT|_SIGNATURE$|^UNABLE_TO_|^ERR_TLS_|^HOSTNAME_MISMATCH$/

/** Where and how an exception was caught. */
export type TransportContext = {
  readonly phase: "headers" | "body"
  readonly proxied: boolean
  readonly client: AbortSignal
}

/**
 * Reads an exception of `fetch` (`phase: "headers"`) or of reading its body (`phase: "body"`). Returns `cancelled` when the
 * client went away, `timeout` after our deadline, `upstream-unavailable` before the answer's headers and
 * `upstream-protocol` after them; the last two with a {@link TransportFault} as cause.
 */
export function readTransportError(error: unknown, context: TransportContext): GatewayError {
  if (error instanceof GatewayError) return error
  if (context.client.aborted) return abortedBy(context.client, error)
  const code = codeOf(error)
  if (context.phase === "body") {
    return streamBreak(code, new TransportFault({ phase: "body", egressAtFault: false, code }, error))
  }
  const notDispatched = NOT_DISPATCHED.has(code) || CERTIFICATE_CODE.test(code)
  const phase = notDispatched ? "connect" : "headers"
  // Behind a proxy a refused connection is the proxy's own: the upstream is dialled by the proxy, which answers 502 then.
  const egressAtFault = notDispatched && context.proxied
  return new GatewayError("upstream-unavailable", messageFor(phase, egressAtFault), {
    upstream: { code },
    cause: new TransportFault({ phase, egressAtFault, code }, error),
  })
}

function streamBreak(code: string, cause: TransportFault): GatewayError {
  return new GatewayError("upstream-protocol", "Upstream connection lost in the middle of the answer.", {
    code: "upstream_stream_break",
    upstream: { code },
    cause,
  })
}

/** Whoever aborts with a reason of the catalogue is quoted: the gateway's own deadlines reach us this way too. */
function abortedBy(signal: AbortSignal, cause: unknown): GatewayError {
  if (signal.reason instanceof GatewayError) return signal.reason
  return new GatewayError("cancelled", "The client went away.", { cause })
}

/** The proxy answered instead of the upstream: what a plain-HTTP upstream sees as status 407. */
export function proxyRefusal(status: number): GatewayError {
  return new GatewayError("upstream-unavailable", messageFor("connect", true), {
    upstream: { status, code: "ERR_PROXY_TUNNEL" },
    cause: new TransportFault({ phase: "connect", egressAtFault: true, code: "ERR_PROXY_TUNNEL" }, undefined),
  })
}

/** The SOCKS proxy, or what lies before it, has not brought the connection about: nothing was sent. `shown` is its masked address. */
export function socksRefusal(code: SocksFailureCode, shown: string): GatewayError {
  const { egressAtFault, message, hint } = SOCKS_FAILURES[code]
  return new GatewayError("upstream-unavailable", message, {
    hint: `The proxy is ${shown}. ${hint}`,
    upstream: { code },
    cause: new TransportFault({ phase: "connect", egressAtFault, code }, undefined),
  })
}

/**
 * A WebSocket ended under a turn that had been sent, with its close code: in phase `headers` nobody knows whether the upstream
 * has taken it.
 */
export function brokenSocket(phase: "headers" | "body", closeCode: number): GatewayError {
  const code = `ws_close_${closeCode}`
  const cause = new TransportFault({ phase, egressAtFault: false, code }, undefined)
  if (phase === "headers") {
    return new GatewayError("upstream-unavailable", messageFor(phase, false), { upstream: { code }, cause })
  }
  return streamBreak(code, cause)
}

/** The account's own way out is not there: nothing was sent. */
export function unknownEgress(): GatewayError {
  const code = "unknown-egress"
  return new GatewayError(
    "upstream-unavailable",
    "The proxy that the account goes out through is missing, disabled or unusable.",
    {
      upstream: { code },
      cause: new TransportFault({ phase: "connect", egressAtFault: true, code }, undefined),
    },
  )
}

function messageFor(phase: TransportPhase, egressAtFault: boolean): string {
  if (egressAtFault) return "The proxy towards the upstream could not be used."
  return phase === "connect" ? "The upstream could not be reached." : "The upstream closed the connection."
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "unknown"
  return typeof error.code === "string" ? error.code : "unknown"
}
