/** By which sign a failure is recognised: tables of codes, texts and statuses. Data only. */

import { EDGE_CODES } from "./error-reply.ts"
import type { OutcomeName } from "./failure-outcomes.ts"

/**
 * Codes; a backend that leaves `code` empty often writes the same word into `type`.
 * Sources: https://github.com/openai/codex (codex-api and core crates), public reports linked at odd ones.
 */
export const OUTCOME_BY_CODE: Readonly<Record<string, OutcomeName>> = {
  context_length_exceeded: "context-too-long",
  context_too_large: "context-too-long",
  invalid_prompt: "invalid-request",
  bio_policy: "invalid-request",
  cyber_policy: "invalid-request",
  content_policy_violation: "invalid-request",
  string_above_max_length: "invalid-request",
  invalid_value: "invalid-request",
  invalid_type: "invalid-request",
  invalid_id_prefix: "invalid-request",
  invalid_function_parameters: "invalid-request",
  invalid_json_schema: "invalid-request",
  unsupported_value: "invalid-request",
  unsupported_parameter: "invalid-request",
  unknown_parameter: "invalid-request",
  missing_required_parameter: "invalid-request",
  invalid_encrypted_content: "stale-state",
  previous_response_not_found: "stale-state",
  model_not_found: "model-missing",
  token_expired: "token-refused",
  token_invalidated: "token-refused",
  token_revoked: "token-refused",
  invalid_api_key: "token-refused",
  invalid_task_id: "token-refused",
  missing_scope: "missing-scope",
  account_deactivated: "deactivated",
  account_suspended: "deactivated",
  account_deleted: "deactivated",
  deactivated_workspace: "deactivated",
  invalid_workspace_selected: "wrong-workspace",
  payment_required: "billing",
  billing_hard_cap_reached: "billing",
  billing_not_active: "billing",
  codex_access_restricted: "restricted",
  unsupported_country_region_territory: "edge-blocked",
  [EDGE_CODES.challenge]: "challenge",
  [EDGE_CODES.blocked]: "edge-blocked",
  usage_limit_reached: "quota",
  usage_limit_exceeded: "quota",
  rate_limit_reached: "quota",
  insufficient_quota: "quota",
  quota_exceeded: "quota",
  quota_exhausted: "quota",
  usage_not_included: "plan-without-codex",
  rate_limit_exceeded: "burst",
  connector_rate_limit: "side-endpoint-throttled",
  server_is_overloaded: "overload",
  slow_down: "overload",
  service_unavailable_error: "overload",
  overloaded_error: "overload",
  server_error: "server-error",
  internal_server_error: "server-error",
  websocket_connection_limit_reached: "socket-limit",
  upstream_stream_break: "stream-break",
}

/** Codes of a dead session: when a refreshed token meets them too, only a new sign-in helps. */
export const LOST_LOGIN_CODES: ReadonlySet<string> = new Set(["token_invalidated", "token_revoked", "invalid_api_key"])

/** A sign in the text; `statuses` narrows where it counts. */
export type TextSignal = {
  readonly pattern: RegExp
  readonly outcome: OutcomeName
  readonly statuses?: readonly number[]
}

/** Texts that say more than the code beside them. */
export const TEXT_BEFORE_CODE: readonly TextSignal[] = [
  { pattern: /concurren(cy|t)[\w ]{0,20} (limit|exceeded)/i, outcome: "concurrency", statuses: [429, 200] },
  { pattern: /not supported when using codex with a chatgpt account/i, outcome: "model-unsupported" },
  { pattern: /requires a newer version of codex/i, outcome: "version-gate" },
  // The code beside it is left empty, or a general one. https://github.com/openai/codex/issues/8611
  {
    pattern: /(encrypted|function output) content .{0,200}could not be (verified|decrypted|decoded|parsed)/is,
    outcome: "stale-state",
  },
]

/** Texts that stand in for a missing code. */
export const TEXT_AFTER_CODE: readonly TextSignal[] = [
  { pattern: /model not found|model .{1,80} does not exist/i, outcome: "model-missing" },
  { pattern: /exceeds the context window|maximum context length/i, outcome: "context-too-long" },
  { pattern: /previous response .{0,120}not found/i, outcome: "stale-state" },
  { pattern: /items are not persisted when/i, outcome: "stale-state" },
  { pattern: /usage limit (has been )?reached|hit your usage limit/i, outcome: "quota" },
  { pattern: /missing scopes?:/i, outcome: "missing-scope", statuses: [401, 403] },
  { pattern: /deactivated/i, outcome: "deactivated", statuses: [401, 402, 403] },
  { pattern: /(currently|temporarily) overloaded|at capacity/i, outcome: "overload" },
]

/** Statuses that need no further sign. */
export const OUTCOME_BY_STATUS: Readonly<Record<number, OutcomeName>> = {
  400: "invalid-request",
  401: "token-refused",
  402: "billing",
  403: "forbidden",
  404: "not-found",
  405: "not-found",
  408: "try-again",
  413: "context-too-long",
  422: "invalid-request",
  425: "try-again",
  426: "version-gate",
  429: "burst",
  499: "try-again",
  500: "server-error",
  502: "edge-error",
  503: "edge-error",
  504: "edge-error",
  520: "edge-error",
  521: "edge-error",
  522: "edge-error",
  523: "edge-error",
  524: "edge-error",
  529: "overload",
}

/** Broad types; they count last, for failures inside a 200. */
export const OUTCOME_BY_TYPE: Readonly<Record<string, OutcomeName>> = {
  invalid_request_error: "invalid-request",
  authentication_error: "token-refused",
  permission_error: "forbidden",
  not_found_error: "not-found",
  rate_limit_error: "burst",
  tokens: "burst",
  requests: "burst",
}
