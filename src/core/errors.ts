/** The closed catalogue of failures and the one error class. `docs/errors.md` mirrors it. */

/** Whose fault it is, which decides whether another account may try. */
export type ErrorScope = "request" | "client-key" | "account" | "gateway" | "provider" | "client"

type ErrorFacts = { readonly status: number; readonly scope: ErrorScope; readonly summary: string }

/** Every kind of failure with its HTTP status and scope. */
export const ERROR_KINDS = {
  "invalid-request": {
    status: 400,
    scope: "request",
    summary: "The request is malformed or asks for something that is not served.",
  },
  "context-too-long": { status: 400, scope: "request", summary: "The input does not fit the model's context window." },
  unauthorized: { status: 401, scope: "client-key", summary: "The client key is missing or wrong." },
  forbidden: { status: 403, scope: "client-key", summary: "The client key may not do this." },
  "model-not-found": { status: 404, scope: "request", summary: "No account can serve the model." },
  "not-found": { status: 404, scope: "request", summary: "The address or the named thing does not exist." },
  "method-not-allowed": { status: 405, scope: "request", summary: "The address exists, but not for this method." },
  "request-timeout": { status: 408, scope: "client", summary: "The client did not send its body in time." },
  "request-too-large": { status: 413, scope: "request", summary: "The body is over `max-body-bytes`." },
  "unsupported-encoding": { status: 415, scope: "request", summary: "The body's content encoding is not known." },
  "upgrade-required": {
    status: 426,
    scope: "request",
    summary: "The address answers GET only as a WebSocket handshake.",
  },
  "key-limit": { status: 429, scope: "client-key", summary: "The client key's own limit is reached." },
  "rate-limited": { status: 429, scope: "account", summary: "The upstream asks for a short pause." },
  "quota-exhausted": { status: 429, scope: "account", summary: "The accounts' usage windows are spent." },
  "credential-rejected": { status: 503, scope: "account", summary: "The upstream refused the account's credential." },
  "no-account": { status: 503, scope: "gateway", summary: "No account is free or usable right now." },
  "key-store-unavailable": {
    status: 503,
    scope: "gateway",
    summary: "Client keys cannot be checked right now.",
  },
  "upstream-overloaded": { status: 503, scope: "provider", summary: "The upstream is at capacity." },
  "upstream-unavailable": { status: 502, scope: "provider", summary: "The upstream could not be reached or failed." },
  "upstream-protocol": {
    status: 502,
    scope: "provider",
    summary: "The upstream broke off or answered something unreadable.",
  },
  timeout: { status: 504, scope: "provider", summary: "The upstream did not answer in time." },
  cancelled: { status: 499, scope: "client", summary: "The client went away." },
  internal: { status: 500, scope: "gateway", summary: "A bug in Sluice." },
} as const satisfies Record<string, ErrorFacts>

/** One of the catalogue's kinds. */
export type ErrorKind = keyof typeof ERROR_KINDS

/** What the upstream said, kept for logs and for clients that read its codes. No secrets, no prompt text. */
export type UpstreamFacts = {
  readonly status?: number
  /** The upstream's own code, e.g. `usage_limit_reached`. */
  readonly code?: string
  readonly type?: string
  readonly planType?: string
  /** Seconds since the epoch. */
  readonly resetsAtSec?: number
  readonly requestId?: string
}

/** Size of an input that does not fit. The input's is an estimate. */
export type WindowFacts = { readonly inputTokens: number; readonly limitTokens: number }

/** What a {@link GatewayError} is made of besides its kind and message. */
export type GatewayErrorOptions = {
  /** Dialect code for the client's envelope, e.g. `context_length_exceeded`; each dialect has a default per kind. */
  readonly code?: string
  /** The parameter at fault, in the client's own spelling, e.g. `messages[2].role`. */
  readonly param?: string
  readonly retryAfterMs?: number
  /** What the operator does next. Logged and shown by the CLI; not sent to clients. */
  readonly hint?: string
  readonly upstream?: UpstreamFacts
  /** For `context-too-long`: dialects whose clients shorten the conversation by it say the numbers. */
  readonly window?: WindowFacts
  readonly cause?: unknown
}

/** The only error thrown on purpose. `message` is safe to show to a client. */
export class GatewayError extends Error {
  override readonly name = "GatewayError"
  readonly kind: ErrorKind
  readonly code: string | undefined
  readonly param: string | undefined
  readonly retryAfterMs: number | undefined
  readonly hint: string | undefined
  readonly upstream: UpstreamFacts | undefined
  readonly window: WindowFacts | undefined

  constructor(kind: ErrorKind, message: string, options: GatewayErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.kind = kind
    this.code = options.code
    this.param = options.param
    this.retryAfterMs = options.retryAfterMs
    this.hint = options.hint
    this.upstream = options.upstream
    this.window = options.window
  }

  /** The HTTP status of this kind. */
  get status(): number {
    return ERROR_KINDS[this.kind].status
  }
}

/** Returns `error` itself when it is a {@link GatewayError}, otherwise an `internal` one with it as cause. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  return new GatewayError("internal", "Internal error.", { cause: error })
}
