/** The refusals a client key meets: which limit, which right, and when to come back. */

import { GatewayError } from "#core/errors.ts"

import type { LimitHit } from "./check-limits.ts"

const SPANS: Readonly<Record<string, string>> = {
  rpm: "a minute",
  tpm: "a minute",
  rpd: "a calendar day",
  "5h": "in 5 hours",
  "7d": "in 7 days",
  "30d": "in 30 days",
  day: "a calendar day",
  total: "in all",
}

/** Longest wait that is told: clients sleep that long. */
const MAX_WAIT_MS = 31 * 24 * 60 * 60_000

/** The refusal of a request that does not fit a limit. */
export function limitError(hit: LimitHit): GatewayError {
  const { limit, used, most, wanted, waitMs } = hit
  const passes = Number.isFinite(waitMs)
  const isTooLarge = wanted > most
  const size = isTooLarge || wanted > 1 ? `; this request may need ${say(hit, wanted)}` : ""
  return new GatewayError(
    "key-limit",
    `The key's limit \`${limit}\` of ${say(hit, most)} ${spanOf(limit)} is reached: ${say(hit, used)} used or held${size}.`,
    {
      code: codeOf(hit),
      // Without an end only the operator can help; clients that sleep on a 429 should not come back every second.
      retryAfterMs: passes ? Math.min(Math.max(1_000, waitMs), MAX_WAIT_MS) : MAX_WAIT_MS,
      hint: passes
        ? "`sluice keys usage` shows what each key has used; `sluice keys set` raises a limit."
        : "Raise the limit with `sluice keys set`, or set its usage back with `sluice keys reset`.",
    },
  )
}

/** The refusal of a request that has found no free place of its key. */
export function concurrencyError(most: number, what: "waited" | "queue-full"): GatewayError {
  const why = what === "waited" ? "none of them ended in time" : "too many others wait already"
  return new GatewayError(
    "key-limit",
    `The key's limit \`concurrency\` of ${most} requests at the same time is reached, and ${why}.`,
    {
      code: "key_concurrency_limit",
      retryAfterMs: 2_000,
      hint: "Send fewer requests at once, or raise the limit with `sluice keys set`.",
    },
  )
}

/** The refusal of a key that is switched off or over. */
export function keyEnded(why: "disabled" | "expired"): GatewayError {
  return why === "disabled"
    ? new GatewayError("forbidden", "The API key is disabled.", {
        code: "key_disabled",
        hint: "`sluice keys enable` lets it work again.",
      })
    : new GatewayError("forbidden", "The API key has expired.", {
        code: "key_expired",
        hint: "`sluice keys set --expires` gives it another date.",
      })
}

/** The refusal of a client that comes from elsewhere. */
export function addressRefused(): GatewayError {
  return new GatewayError("forbidden", "The API key may not be used from this address.", {
    code: "key_address_not_allowed",
    hint: "`sluice keys show` lists the addresses. Behind a proxy, name it in `client-keys.trusted-proxies`.",
  })
}

/** The refusal of a model that the key may not use. */
export function modelRefused(model: string): GatewayError {
  return new GatewayError("forbidden", `The API key may not use the model \`${model}\`.`, {
    code: "key_model_not_allowed",
    param: "model",
    hint: "`sluice keys show` lists what the key may use.",
  })
}

/** The refusal of a model without a price, for a key with a limit on cost. */
export function priceMissing(slug: string): GatewayError {
  return new GatewayError(
    "forbidden",
    `The API key has a limit on cost, and the model \`${slug}\` has no price here.`,
    {
      code: "key_model_without_price",
      param: "model",
      hint: `Set a price for it under \`prices\`, such as \`${slug}: 1.25/0.125/10\`, or lift the key's limit on cost.`,
    },
  )
}

/** The refusal while nobody can say whether a key is good: never the same as "wrong". */
export function storeUnavailable(cause?: unknown): GatewayError {
  return new GatewayError("key-store-unavailable", "API keys cannot be checked right now.", {
    code: "key_store_unavailable",
    retryAfterMs: 5_000,
    hint: "The table of client keys in core.db cannot be read, or was written by something else. The log says why; keys of `api-keys` go on working.",
    cause,
  })
}

function codeOf({ limit, quantity }: LimitHit): string {
  if (quantity === "rate") return "rate_limit_exceeded"
  // What SDKs know as "no use in trying again soon".
  return limit.startsWith("total.") ? "insufficient_quota" : "key_window_limit"
}

function spanOf(limit: string): string {
  return SPANS[limit.split(".")[0] ?? ""] ?? ""
}

function say({ limit, quantity }: LimitHit, amount: number): string {
  if (quantity === "cost_usd") return `$${amount.toFixed(amount < 1 ? 4 : 2)}`
  const isTokens = limit === "tpm" || limit.endsWith("tokens")
  return `${Math.ceil(amount)} ${isTokens ? "tokens" : amount === 1 ? "request" : "requests"}`
}
