/** What each kind of upstream failure means: the client's error, the account's consequence, the way on. Data only. */

import type { ErrorKind } from "#core/errors.ts"
import type { BlockCause, NextStep } from "#core/outcome.ts"

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** How long a block lasts: a fixed time, or read from the failure. */
export type BlockLength =
  | number
  /** Until the stated reset of the quota. */
  | "reset"
  /** As long as the upstream asks for, a few seconds otherwise. */
  | "burst"
  /** Half a day when the upstream names the model, minutes otherwise. */
  | "model"

/** One row. Without `code` the client gets the upstream's own; without `message` its scrubbed text. */
export type FailureOutcome = {
  readonly kind: ErrorKind
  readonly code?: string
  readonly message?: string
  readonly hint?: string
  readonly effect:
    | { readonly type: "none" | "refresh" | "needs-login" | "suspend" }
    | {
        readonly type: "block"
        readonly scope: "account" | "model" | "egress" | "quota"
        readonly cause: BlockCause
        readonly length: BlockLength
      }
  readonly next: NextStep
  readonly delayMs?: number
}

const NO_EFFECT = { type: "none" } as const

/** The scheduler forgives the first two in a row: one bad answer says nothing about an account. */
const REST = { type: "block", scope: "account", length: 10 * SECOND_MS } as const

/** Account trouble never reaches a client as 401: it would ask its user for a new key. */
const ACCOUNT_TROUBLE = {
  kind: "credential-rejected",
  code: "account_unavailable",
  message: "The upstream refused the account that was asked.",
  next: "other-account",
} as const

/** Every reading of a failure. */
export const FAILURE_OUTCOMES = {
  "invalid-request": { kind: "invalid-request", effect: NO_EFFECT, next: "stop" },
  "context-too-long": {
    kind: "context-too-long",
    code: "context_length_exceeded",
    effect: NO_EFFECT,
    next: "stop",
  },
  "stale-state": { kind: "invalid-request", effect: NO_EFFECT, next: "strip-then-same" },
  "model-unsupported": {
    kind: "model-not-found",
    code: "model_not_found",
    hint: "The account's plan may lack the model, the model may be retired, or `upstream-identity` may be too old.",
    effect: { type: "block", scope: "model", cause: "model-unsupported", length: "model" },
    next: "other-account",
  },
  "model-missing": {
    kind: "model-not-found",
    code: "model_not_found",
    hint: "Newer models answer so when `originator` and `User-Agent` do not agree: check `upstream-identity`.",
    effect: { type: "block", scope: "model", cause: "model-unsupported", length: 10 * MINUTE_MS },
    next: "other-account",
  },
  "version-gate": {
    kind: "invalid-request",
    code: "client_version_too_old",
    message: "The upstream serves this model to newer client versions only; the operator has to raise it.",
    hint: "Raise the client version in `upstream-identity`.",
    effect: NO_EFFECT,
    next: "stop",
  },
  "token-refused": { ...ACCOUNT_TROUBLE, effect: { type: "refresh" }, next: "refresh-then-same" },
  "login-lost": {
    ...ACCOUNT_TROUBLE,
    hint: "Sign in to the account again: `sluice login`.",
    effect: { type: "needs-login" },
  },
  "refused-after-refresh": {
    ...ACCOUNT_TROUBLE,
    hint: "A fresh token was refused as well. If it stays so, sign in to the account again: `sluice login`.",
    effect: { type: "block", scope: "account", cause: "credential", length: 10 * MINUTE_MS },
  },
  "missing-scope": {
    ...ACCOUNT_TROUBLE,
    hint: "The token lacks a scope; a new sign-in (`sluice login`) cures this, also after a subscription was renewed.",
    effect: { type: "block", scope: "account", cause: "credential", length: 10 * MINUTE_MS },
  },
  deactivated: {
    ...ACCOUNT_TROUBLE,
    hint: "The upstream calls the account or its workspace deactivated.",
    effect: { type: "suspend" },
  },
  "wrong-workspace": {
    ...ACCOUNT_TROUBLE,
    hint: "The account id does not belong to the token: sign in again with `sluice login`, or correct it.",
    effect: { type: "needs-login" },
  },
  billing: {
    ...ACCOUNT_TROUBLE,
    hint: "The upstream asks for payment.",
    effect: { type: "block", scope: "account", cause: "billing", length: 30 * MINUTE_MS },
  },
  forbidden: {
    ...ACCOUNT_TROUBLE,
    effect: { type: "block", scope: "account", cause: "forbidden", length: 10 * MINUTE_MS },
  },
  restricted: {
    ...ACCOUNT_TROUBLE,
    effect: { type: "block", scope: "account", cause: "forbidden", length: 30 * MINUTE_MS },
  },
  challenge: {
    kind: "upstream-unavailable",
    code: "upstream_blocked",
    message: "The upstream's edge did not let the request through.",
    hint: "The address or proxy of this account meets a browser challenge.",
    effect: { type: "block", scope: "egress", cause: "challenge", length: 10 * SECOND_MS },
    next: "other-account",
  },
  "edge-blocked": {
    kind: "upstream-unavailable",
    code: "upstream_blocked",
    message: "The upstream's edge did not let the request through.",
    hint: "The address or proxy of this account is blocked or in an unserved country: use another one.",
    effect: { type: "block", scope: "egress", cause: "challenge", length: 10 * MINUTE_MS },
    next: "other-account",
  },
  quota: {
    kind: "quota-exhausted",
    code: "usage_limit_reached",
    effect: { type: "block", scope: "quota", cause: "quota", length: "reset" },
    next: "other-account",
  },
  "plan-without-codex": {
    kind: "quota-exhausted",
    effect: { type: "block", scope: "account", cause: "billing", length: 24 * HOUR_MS },
    next: "other-account",
  },
  burst: {
    kind: "rate-limited",
    code: "rate_limit_exceeded",
    effect: { type: "block", scope: "model", cause: "burst", length: "burst" },
    next: "requeue",
  },
  concurrency: { kind: "rate-limited", code: "rate_limit_exceeded", effect: NO_EFFECT, next: "requeue" },
  "side-endpoint-throttled": { kind: "rate-limited", effect: NO_EFFECT, next: "stop" },
  overload: {
    kind: "upstream-overloaded",
    code: "server_is_overloaded",
    effect: { ...REST, cause: "overload" },
    next: "same-account",
    delayMs: 600,
  },
  "server-error": {
    kind: "upstream-unavailable",
    code: "upstream_error",
    effect: { ...REST, cause: "server-error" },
    next: "same-account",
    delayMs: 400,
  },
  "edge-error": {
    kind: "upstream-unavailable",
    code: "upstream_error",
    effect: { ...REST, cause: "server-error" },
    next: "other-account",
  },
  "try-again": {
    kind: "upstream-unavailable",
    code: "upstream_error",
    effect: NO_EFFECT,
    next: "same-account",
    delayMs: 200,
  },
  "socket-limit": {
    kind: "upstream-unavailable",
    code: "upstream_error",
    effect: NO_EFFECT,
    next: "same-account",
    delayMs: 0,
  },
  "stream-break": {
    kind: "upstream-protocol",
    code: "upstream_stream_break",
    effect: NO_EFFECT,
    next: "same-account",
    delayMs: 200,
  },
  "not-found": {
    kind: "upstream-unavailable",
    code: "upstream_error",
    hint: "The upstream does not know the address: check the base URL.",
    effect: NO_EFFECT,
    next: "other-account",
  },
} as const satisfies Record<string, FailureOutcome>

/** Name of a row. */
export type OutcomeName = keyof typeof FAILURE_OUTCOMES
