/** The table of failures: status and body → error, consequence for the account, way on. */

import { describe, expect, test } from "bun:test"

import { ERROR_KINDS, type ErrorKind } from "#core/errors.ts"
import type { AccountEffect, NextStep } from "#core/outcome.ts"
import type { UpstreamFailure } from "#core/upstream.ts"
import { readErrorReply } from "#providers/error-reply.ts"
import { FAILURE_OUTCOMES } from "#providers/failure-outcomes.ts"
import type { FailureContext } from "#providers/provider.ts"
import { classifyFailure, readFailure } from "#providers/read-failure.ts"

const NOW_MS = 1_790_000_000_000
const NOW_SEC = NOW_MS / 1000
const MINUTE_MS = 60_000
const MODEL = "gpt-5.5"
const CONTEXT: FailureContext = { nowMs: NOW_MS, model: MODEL }

type Reply = { status: number; body?: unknown; headers?: Record<string, string> }

function judge({ status, body = "", headers = {} }: Reply, context: Partial<FailureContext> = {}) {
  const bodyText = typeof body === "string" ? body : JSON.stringify(body)
  const failure = readErrorReply({ status, headers: new Headers(headers), bodyText })
  return readFailure(failure, { ...CONTEXT, ...context })
}

function judgeInStream(failure: Partial<UpstreamFailure>, context: Partial<FailureContext> = {}) {
  return readFailure({ status: 200, message: "", ...failure }, { ...CONTEXT, ...context })
}

const NONE: AccountEffect = { type: "none" }
const REFRESH: AccountEffect = { type: "refresh" }

function block(
  scope: "account" | "egress" | "model",
  cause: Extract<AccountEffect, { type: "block" }>["cause"],
  forMs: number,
): AccountEffect {
  return { type: "block", scope: scope === "model" ? { type: "model", model: MODEL } : { type: scope }, cause, forMs }
}

const error = (code: string | null, message = "m", rest: object = {}) => ({
  error: { code, message, type: null, ...rest },
})
const html = (text: string) => `<!DOCTYPE html><html><head><title>${text}</title></head><body>${text}</body></html>`

type Row = {
  name: string
  reply: Reply
  kind: ErrorKind
  code: string
  effect: AccountEffect
  next: NextStep
  context?: Partial<FailureContext>
}

const TABLE: readonly Row[] = [
  {
    name: "400 unsupported parameter",
    reply: { status: 400, body: { detail: "Unsupported parameter: max_tokens" } },
    kind: "invalid-request",
    code: "invalid_request",
    effect: NONE,
    next: "stop",
  },
  ...["string_above_max_length", "invalid_value", "invalid_function_parameters", "cyber_policy", "invalid_prompt"].map(
    (code): Row => ({
      name: `400 ${code}`,
      reply: { status: 400, body: error(code, "bad", { param: "input[5].id" }) },
      kind: "invalid-request",
      code,
      effect: NONE,
      next: "stop",
    }),
  ),
  {
    name: "400 without code",
    reply: {
      status: 400,
      body: error(null, "No tool call found for function call output", { type: "invalid_request_error" }),
    },
    kind: "invalid-request",
    code: "invalid_request_error",
    effect: NONE,
    next: "stop",
  },
  {
    name: "400 too long",
    reply: {
      status: 400,
      body: error("context_length_exceeded", "Your input exceeds the context window of this model."),
    },
    kind: "context-too-long",
    code: "context_length_exceeded",
    effect: NONE,
    next: "stop",
  },
  ...["invalid_encrypted_content", "previous_response_not_found"].map(
    (code): Row => ({
      name: `400 ${code}`,
      reply: { status: 400, body: error(code) },
      kind: "invalid-request",
      code,
      effect: NONE,
      next: "strip-then-same",
    }),
  ),
  {
    name: "400 refused encrypted content with its code left empty",
    reply: { status: 400, body: error(null, "The encrypted content gAAA...x= could not be verified.") },
    kind: "invalid-request",
    code: "invalid_request",
    effect: NONE,
    next: "strip-then-same",
  },
  {
    name: "400 stale item id",
    reply: {
      status: 400,
      body: error(null, "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."),
    },
    kind: "invalid-request",
    code: "invalid_request",
    effect: NONE,
    next: "strip-then-same",
  },
  {
    name: "400 model not for this plan",
    reply: {
      status: 400,
      body: { detail: `The '${MODEL}' model is not supported when using Codex with a ChatGPT account.` },
    },
    kind: "model-not-found",
    code: "model_not_found",
    effect: block("model", "model-unsupported", 12 * 60 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "400 model not for this plan, unnamed",
    reply: {
      status: 400,
      body: { detail: "The 'x' model is not supported when using Codex with a ChatGPT account." },
    },
    kind: "model-not-found",
    code: "model_not_found",
    effect: block("model", "model-unsupported", 10 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "400 version gate",
    reply: {
      status: 400,
      body: { detail: "The 'gpt-6-astra' model requires a newer version of Codex. Please upgrade." },
    },
    kind: "invalid-request",
    code: "client_version_too_old",
    effect: NONE,
    next: "stop",
  },
  ...[
    error("token_expired", "Provided authentication token is expired. Please try signing in again."),
    error("token_invalidated", "Your authentication token has been invalidated."),
    error("token_revoked", "Encountered invalidated oauth token for user, failing request"),
    error("invalid_task_id"),
    { detail: "Unauthorized" },
    { detail: "Could not parse your authentication token. Please try signing in again." },
    "",
  ].map(
    (body): Row => ({
      name: `401 ${JSON.stringify(body)}`,
      reply: { status: 401, body },
      kind: "credential-rejected",
      code: "account_unavailable",
      effect: REFRESH,
      next: "refresh-then-same",
    }),
  ),
  ...["token_invalidated", "token_revoked"].map(
    (code): Row => ({
      name: `401 ${code} after a refresh`,
      reply: { status: 401, body: error(code) },
      context: { refreshed: true },
      kind: "credential-rejected",
      code: "account_unavailable",
      effect: { type: "needs-login" },
      next: "other-account",
    }),
  ),
  {
    name: "401 without a final code after a refresh",
    reply: { status: 401, body: { detail: "Unauthorized" } },
    context: { refreshed: true },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: block("account", "credential", 10 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "401 deactivated account",
    reply: { status: 401, body: error("account_deactivated") },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: { type: "suspend" },
    next: "other-account",
  },
  {
    name: "401 deactivated by text",
    reply: { status: 401, body: { detail: "Your account has been deactivated." } },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: { type: "suspend" },
    next: "other-account",
  },
  {
    name: "401 missing scope",
    reply: { status: 401, body: error("missing_scope", "Missing scopes: api.responses.write") },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: block("account", "credential", 10 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "402 deactivated workspace",
    reply: { status: 402, body: { detail: { code: "deactivated_workspace" } } },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: { type: "suspend" },
    next: "other-account",
  },
  {
    name: "402 payment",
    reply: { status: 402, body: error("payment_required") },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: block("account", "billing", 30 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "402 bare",
    reply: { status: 402 },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: block("account", "billing", 30 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "403 wrong workspace",
    reply: { status: 403, body: { detail: { code: "invalid_workspace_selected" } } },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: { type: "needs-login" },
    next: "other-account",
  },
  {
    name: "403 restricted",
    reply: { status: 403, body: error("codex_access_restricted") },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: block("account", "forbidden", 30 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "403 generic",
    reply: { status: 403, body: { detail: "Forbidden" } },
    kind: "credential-rejected",
    code: "account_unavailable",
    effect: block("account", "forbidden", 10 * MINUTE_MS),
    next: "other-account",
  },
  ...[html("Just a moment..."), html("Enable JavaScript and cookies to continue"), html("_cf_chl_opt")].map(
    (body): Row => ({
      name: `403 challenge ${body.slice(34, 60)}`,
      reply: { status: 403, body },
      kind: "upstream-unavailable",
      code: "upstream_blocked",
      effect: block("egress", "challenge", 10_000),
      next: "other-account",
    }),
  ),
  {
    name: "403 challenge by header",
    reply: { status: 403, headers: { "cf-mitigated": "challenge" } },
    kind: "upstream-unavailable",
    code: "upstream_blocked",
    effect: block("egress", "challenge", 10_000),
    next: "other-account",
  },
  {
    name: "403 blocked address",
    reply: { status: 403, body: html("Sorry, you have been blocked") },
    kind: "upstream-unavailable",
    code: "upstream_blocked",
    effect: block("egress", "challenge", 10 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "403 unserved country",
    reply: { status: 403, body: error("unsupported_country_region_territory") },
    kind: "upstream-unavailable",
    code: "upstream_blocked",
    effect: block("egress", "challenge", 10 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "404 model",
    reply: {
      status: 404,
      body: error(null, "Model not found gpt-5.6-luna", { type: "invalid_request_error", param: "model" }),
    },
    kind: "model-not-found",
    code: "model_not_found",
    effect: block("model", "model-unsupported", 10 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "404 empty",
    reply: { status: 404 },
    kind: "upstream-unavailable",
    code: "upstream_blocked",
    effect: block("egress", "challenge", 10_000),
    next: "other-account",
  },
  {
    name: "404 address",
    reply: { status: 404, body: { detail: "Not Found" } },
    kind: "upstream-unavailable",
    code: "upstream_error",
    effect: NONE,
    next: "other-account",
  },
  ...[408, 425].map(
    (status): Row => ({
      name: `${status}`,
      reply: { status },
      kind: "upstream-unavailable",
      code: "upstream_error",
      effect: NONE,
      next: "same-account",
    }),
  ),
  {
    name: "413 page",
    reply: { status: 413, body: html("413 Request Entity Too Large") },
    kind: "context-too-long",
    code: "context_length_exceeded",
    effect: NONE,
    next: "stop",
  },
  {
    name: "426",
    reply: { status: 426 },
    kind: "invalid-request",
    code: "client_version_too_old",
    effect: NONE,
    next: "stop",
  },
  {
    name: "429 usage limit with a reset",
    reply: {
      status: 429,
      body: {
        error: {
          type: "usage_limit_reached",
          message: "The usage limit has been reached",
          plan_type: "plus",
          resets_at: NOW_SEC + 5400,
          resets_in_seconds: 5400,
          eligible_promo: null,
        },
      },
    },
    kind: "quota-exhausted",
    code: "usage_limit_reached",
    effect: block("account", "quota", 5_401_000),
    next: "other-account",
  },
  {
    name: "429 usage limit without any time",
    reply: {
      status: 429,
      body: { error: { type: "usage_limit_reached", message: "The usage limit has been reached" } },
    },
    kind: "quota-exhausted",
    code: "usage_limit_reached",
    effect: { type: "block", scope: { type: "account" }, cause: "quota", forMs: 5 * MINUTE_MS, isUnstated: true },
    next: "other-account",
  },
  {
    name: "429 without body but with a spent window",
    reply: {
      status: 429,
      headers: {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": String(NOW_SEC + 60),
      },
    },
    kind: "quota-exhausted",
    code: "usage_limit_reached",
    effect: block("account", "quota", 61_000),
    next: "other-account",
  },
  {
    name: "429 plan without Codex",
    reply: { status: 429, body: error(null, "m", { type: "usage_not_included" }) },
    kind: "quota-exhausted",
    code: "usage_not_included",
    effect: block("account", "billing", 24 * 60 * MINUTE_MS),
    next: "other-account",
  },
  {
    name: "429 burst with a retry header",
    reply: { status: 429, body: error("rate_limit_exceeded"), headers: { "retry-after": "20" } },
    kind: "rate-limited",
    code: "rate_limit_exceeded",
    effect: block("model", "burst", 20_000),
    next: "requeue",
  },
  {
    name: "429 burst with a time in the text",
    reply: {
      status: 429,
      body: error("rate_limit_exceeded", "Rate limit reached. Please try again in 11.054s. Visit"),
    },
    kind: "rate-limited",
    code: "rate_limit_exceeded",
    effect: block("model", "burst", 11_054),
    next: "requeue",
  },
  {
    name: "429 bare",
    reply: { status: 429 },
    kind: "rate-limited",
    code: "rate_limit_exceeded",
    effect: block("model", "burst", 3_000),
    next: "requeue",
  },
  {
    name: "429 burst of milliseconds",
    reply: { status: 429, body: error("rate_limit_exceeded", "Please try again in 28ms.") },
    kind: "rate-limited",
    code: "rate_limit_exceeded",
    effect: NONE,
    next: "same-account",
  },
  {
    name: "429 concurrency",
    reply: {
      status: 429,
      body: error("rate_limit_exceeded", "Concurrency limit exceeded for account, please retry later"),
    },
    kind: "rate-limited",
    code: "rate_limit_exceeded",
    effect: NONE,
    next: "requeue",
  },
  {
    name: "429 of a side endpoint",
    reply: { status: 429, body: error("connector_rate_limit") },
    kind: "rate-limited",
    code: "connector_rate_limit",
    effect: NONE,
    next: "stop",
  },
  {
    name: "usage limit under another status",
    reply: { status: 403, body: error("usage_limit_reached", "m", { resets_in_seconds: 60 }) },
    kind: "quota-exhausted",
    code: "usage_limit_reached",
    effect: block("account", "quota", 61_000),
    next: "other-account",
  },
  {
    name: "500",
    reply: { status: 500, body: error("server_error") },
    kind: "upstream-unavailable",
    code: "upstream_error",
    effect: block("account", "server-error", 10_000),
    next: "same-account",
  },
  ...[502, 503, 504, 520, 521, 522, 523, 524].map(
    (status): Row => ({
      name: `${status} page`,
      reply: { status, body: html("Bad gateway") },
      kind: "upstream-unavailable",
      code: "upstream_error",
      effect: block("account", "server-error", 10_000),
      next: "other-account",
    }),
  ),
  ...["server_is_overloaded", "slow_down"].map(
    (code): Row => ({
      name: `503 ${code}`,
      reply: { status: 503, body: error(code) },
      kind: "upstream-overloaded",
      code: "server_is_overloaded",
      effect: block("account", "overload", 10_000),
      next: "same-account",
    }),
  ),
  {
    name: "529",
    reply: { status: 529 },
    kind: "upstream-overloaded",
    code: "server_is_overloaded",
    effect: block("account", "overload", 10_000),
    next: "same-account",
  },
]

describe("answers with an error status", () => {
  for (const row of TABLE) {
    test(row.name, () => {
      const verdict = judge(row.reply, row.context)
      expect({
        kind: verdict.error.kind,
        code: verdict.error.code,
        effect: verdict.effect,
        next: verdict.next,
      }).toEqual({ kind: row.kind, code: row.code, effect: row.effect, next: row.next })
      expect(verdict.error.message).not.toBe("")
      expect(verdict.error.upstream?.status).toBe(row.reply.status)
    })
  }

  test("no account's trouble reaches a client as 401, 402 or 403", () => {
    for (const status of [401, 402, 403]) {
      for (const refreshed of [false, true]) {
        for (const body of ["", { detail: "Unauthorized" }, error("token_expired"), html("Sorry")]) {
          expect([502, 503]).toContain(judge({ status, body }, { refreshed }).error.status)
        }
      }
    }
  })

  test("every row of the table names a kind of the catalogue", () => {
    for (const outcome of Object.values(FAILURE_OUTCOMES)) expect(ERROR_KINDS[outcome.kind]).toBeDefined()
  })
})

describe("failures inside a 200", () => {
  const ROWS: readonly (readonly [Partial<UpstreamFailure>, keyof typeof FAILURE_OUTCOMES])[] = [
    [{ code: "context_length_exceeded" }, "context-too-long"],
    [{ code: "bio_policy" }, "invalid-request"],
    [{ code: "insufficient_quota" }, "quota"],
    [{ type: "usage_limit_reached" }, "quota"],
    [{ type: "rate_limit_reached" }, "quota"],
    [{ code: "usage_not_included" }, "plan-without-codex"],
    [{ code: "rate_limit_exceeded" }, "burst"],
    [{ type: "service_unavailable_error", code: "server_is_overloaded" }, "overload"],
    [{ code: "slow_down" }, "overload"],
    [{ message: "Our servers are currently overloaded. Please try again later." }, "overload"],
    [{ code: "server_error" }, "server-error"],
    [{ code: "internal_server_error" }, "server-error"],
    [{ code: "something_new" }, "server-error"],
    [{}, "server-error"],
    [{ code: "previous_response_not_found" }, "stale-state"],
    [{ message: "Previous response with id 'resp_1' not found." }, "stale-state"],
    [{ message: "The encrypted content gAAA...x= could not be verified. Reason: x" }, "stale-state"],
    [{ code: "invalid_value", message: "The encrypted content gAAA...x= could not be verified." }, "stale-state"],
    [{ message: "Encrypted content could not be decrypted or parsed." }, "stale-state"],
    [{ code: "server_error", message: "The function output content could not be decrypted." }, "stale-state"],
    [{ code: "model_not_found" }, "model-missing"],
    [{ code: "websocket_connection_limit_reached" }, "socket-limit"],
    [{ code: "unsupported_value" }, "invalid-request"],
    [{ code: "upstream_stream_break" }, "stream-break"],
    [{ type: "invalid_request_error" }, "invalid-request"],
    [{ type: "authentication_error" }, "token-refused"],
    [{ type: "permission_error" }, "forbidden"],
    [{ type: "not_found_error" }, "not-found"],
    [{ type: "rate_limit_error" }, "burst"],
    [{ html: true, message: "Bad gateway" }, "edge-error"],
  ]
  for (const [failure, outcome] of ROWS) {
    test(`${JSON.stringify(failure)} is ${outcome}`, () => {
      expect(classifyFailure({ status: 200, message: "", ...failure })).toBe(outcome)
    })
  }

  test("a status inside the event counts like one outside", () => {
    expect(classifyFailure({ status: 401, message: "" })).toBe("token-refused")
  })

  test("an unknown 4xx is the request's fault, an unknown 5xx the upstream's", () => {
    expect(classifyFailure({ status: 418, message: "" })).toBe("invalid-request")
    expect(classifyFailure({ status: 599, message: "" })).toBe("server-error")
  })
})

describe("what is kept and what is told", () => {
  test("plan, reset and request id stay with the error, and the client learns when to come back", () => {
    const { error: failed } = judge({
      status: 429,
      headers: { "x-request-id": "req-1" },
      body: error(null, "spent", { type: "usage_limit_reached", plan_type: "plus", resets_in_seconds: 90 }),
    })
    expect(failed.upstream).toEqual({
      status: 429,
      type: "usage_limit_reached",
      planType: "plus",
      resetsAtSec: NOW_SEC + 90,
      requestId: "req-1",
    })
    expect(failed.retryAfterMs).toBe(91_000)
  })

  test("a retry time is told only where waiting helps", () => {
    expect(judge({ status: 403, headers: { "retry-after": "5" } }).error.retryAfterMs).toBeUndefined()
    expect(judge({ status: 503, body: error("slow_down"), headers: { "retry-after": "5" } }).error.retryAfterMs).toBe(
      5000,
    )
    expect(judge({ status: 429, body: error("connector_rate_limit") }).error.retryAfterMs).toBe(60_000)
  })

  test("the parameter at fault is kept, and named where it is clear", () => {
    expect(judge({ status: 400, body: error("invalid_value", "m", { param: "input[2]" }) }).error.param).toBe(
      "input[2]",
    )
    expect(judge({ status: 404, body: error("model_not_found") }).error.param).toBe("model")
    expect(judgeInStream({ code: "context_length_exceeded" }).error.param).toBe("input")
  })

  test("a spent Spark quota does not block the other models", () => {
    const verdict = judgeInStream({ code: "usage_limit_reached" }, { model: "gpt-5.3-codex-spark" })
    expect(verdict.effect).toMatchObject({ type: "block", scope: { type: "model", model: "gpt-5.3-codex-spark" } })
  })

  test("an unnamed request does not count as a named model", () => {
    const failure = { status: 400, message: "The 'x' model is not supported when using Codex with a ChatGPT account." }
    expect(readFailure(failure, { nowMs: NOW_MS, model: "" }).effect).toMatchObject({ forMs: 10 * MINUTE_MS })
  })

  test("the second attempt on an account counts as refreshed when nothing else is said", () => {
    expect(judge({ status: 401 }, { attempt: 2 }).next).toBe("other-account")
    expect(judge({ status: 401 }, { attempt: 2, refreshed: false }).next).toBe("refresh-then-same")
  })

  test("tokens, addresses and ids never reach a client", () => {
    const message =
      "User a.b@example.com (user-AbC123xyz9) of 9b1d0c1e-0000-4000-8000-000000000001 sent Bearer abcdefghijkl " +
      "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln and sk-proj-abcdef123456 at input[3].content"
    const text = judge({ status: 400, body: { detail: message } }).error.message
    for (const secret of ["example.com", "AbC123", "9b1d0c1e", "abcdefghijkl", "eyJ", "sk-proj"]) {
      expect(text).not.toContain(secret)
    }
    expect(text).toContain("input[3].content")
  })

  test("ordinary words survive the scrubbing", () => {
    const text = "The user-provided schema at tools[3].parameters: a workspace-relative path at-mentions nobody."
    expect(judge({ status: 400, body: { detail: text } }).error.message).toBe(text)
  })

  test("a very long text is cut", () => {
    expect(judge({ status: 400, body: "x".repeat(100_000) }).error.message.length).toBeLessThanOrEqual(2048)
  })
})
