/** Refusals a script can ask for by name, each with the body and headers the backend or its edge sends. */

import { type QuotaView, usageLimitRefusal } from "#simulator/accounts/quota-wire.ts"
import {
  accessRefusal,
  detailRefusal,
  errorRefusal,
  htmlRefusal,
  jsonRefusal,
  type Refusal,
} from "#simulator/refusal.ts"

import type { Settings } from "./settings.ts"

/** What a scripted refusal is written from. */
export type RefusalFacts = { readonly settings: Settings; readonly model: string; readonly quota: QuotaView }

/** One entry; `sentence` is for the list of scenarios. */
export type ScriptedRefusal = { readonly sentence: string; readonly write: (facts: RefusalFacts) => Refusal }

const PAGE = (title: string, text: string) =>
  `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1><p>${text}</p><p>Sluice simulator</p></body></html>`

const CHALLENGE = PAGE(
  "Just a moment...",
  'Enable JavaScript and cookies to continue<script>window._cf_chl_opt={cType:"managed"}</script>',
)

const OVERLOAD_TEXT = "Our servers are currently overloaded. Please try again later."

/** The catalogue. */
export const SCRIPTED_REFUSALS: Readonly<Record<string, ScriptedRefusal>> = {
  "token-expired": {
    sentence: "401: the access token is expired.",
    write: () =>
      accessRefusal("token_expired", "Provided authentication token is expired. Please try signing in again."),
  },
  "token-invalidated": {
    sentence: "401: the session was revoked.",
    write: () =>
      accessRefusal(
        "token_invalidated",
        "Your authentication token has been invalidated. Please try signing in again.",
      ),
  },
  "token-revoked": {
    sentence: "401: the token was revoked, in the other wording.",
    write: () => accessRefusal("token_revoked", "Encountered invalidated oauth token for user, failing request"),
  },
  unauthorized: { sentence: "401 in the oldest form.", write: () => detailRefusal("Unauthorized", 401) },
  "account-deactivated": {
    sentence: "401: the account is banned.",
    write: () => accessRefusal("account_deactivated", "Your OpenAI account has been deactivated."),
  },
  "missing-scope": {
    sentence: "401: the token lacks the scope for model turns.",
    write: () =>
      accessRefusal(
        "missing_scope",
        "You have insufficient permissions for this operation. Missing scopes: api.responses.write",
      ),
  },
  "deactivated-workspace": {
    sentence: "402: the workspace is closed.",
    write: () => detailRefusal({ code: "deactivated_workspace" }, 402),
  },
  "payment-required": {
    sentence: "402: billing.",
    write: () => errorRefusal({ status: 402, message: "Payment required.", code: "payment_required" }),
  },
  "workspace-mismatch": {
    sentence: "403: the account header does not belong to the token.",
    write: () => detailRefusal({ code: "invalid_workspace_selected" }, 403),
  },
  "access-restricted": {
    sentence: "403: the account may not use Codex.",
    write: () => detailRefusal({ code: "codex_access_restricted" }, 403),
  },
  challenge: {
    sentence: "403: an HTML challenge of the edge; `status` changes the number.",
    write: () => htmlRefusal(403, CHALLENGE, { "cf-mitigated": "challenge" }),
  },
  blocked: {
    sentence: "403: the edge blocks this address.",
    write: () => htmlRefusal(403, PAGE("Attention Required!", "Sorry, you have been blocked")),
  },
  "model-not-found": {
    sentence: "404: the model does not exist for this client.",
    write: facts => errorRefusal({ status: 404, message: `Model not found ${facts.model}`, param: "model" }),
  },
  "empty-404": {
    sentence: "404 without a body.",
    write: () => ({ status: 404, contentType: "text/plain", body: "" }),
  },
  "not-found": { sentence: "404 as JSON.", write: () => detailRefusal("Not Found", 404) },
  "too-large": {
    sentence: "413: an HTML page of the edge.",
    write: () => htmlRefusal(413, PAGE("413 Request Entity Too Large", "")),
  },
  "usage-limit": {
    sentence: "429: the window is spent; `resets-in-sec` says for how long.",
    write: ({ quota, settings }) => spentWindow(quota, settings.resetsInSec),
  },
  "usage-not-included": {
    sentence: "429: the plan has no Codex.",
    write: ({ quota }) =>
      jsonRefusal(429, {
        error: {
          type: "usage_not_included",
          message: "To use Codex with your ChatGPT plan, upgrade.",
          plan_type: quota.account.plan,
        },
      }),
  },
  burst: {
    sentence: "429 without a body; `retry-after-sec` adds the header.",
    write: () => ({ status: 429, contentType: "text/plain", body: "" }),
  },
  "rate-limit": {
    sentence: "429 with a code and the wait only in the text.",
    write: facts =>
      jsonRefusal(429, {
        error: {
          message: `Rate limit reached for ${facts.model}. Please try again in 1.5s.`,
          type: "tokens",
          param: null,
          code: "rate_limit_exceeded",
        },
      }),
  },
  "connector-limit": {
    sentence: "429 of the usage endpoint.",
    write: () => jsonRefusal(429, { detail: { code: "connector_rate_limit" } }),
  },
  "context-length": {
    sentence: "400: the input is too long.",
    write: () =>
      errorRefusal({
        message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
        param: "input",
        code: "context_length_exceeded",
      }),
  },
  "encrypted-content": {
    sentence: "400: the encrypted content belongs to another account.",
    write: () =>
      errorRefusal({
        message: "The encrypted content gAAA...abc= could not be verified.",
        code: "invalid_encrypted_content",
      }),
  },
  "encrypted-content-uncoded": {
    sentence: "400: the same, said by the message alone.",
    write: () => errorRefusal({ message: "The encrypted content gAAA...abc= could not be verified." }),
  },
  "previous-response": {
    sentence: "400: the previous response is not known.",
    write: () =>
      errorRefusal({
        message: "Previous response with id 'resp_simulated' not found.",
        param: "previous_response_id",
        code: "previous_response_not_found",
      }),
  },
  "model-not-supported": {
    sentence: "400: the plan does not have the model.",
    write: facts =>
      detailRefusal(`The '${facts.model}' model is not supported when using Codex with a ChatGPT account.`),
  },
  "newer-version": {
    sentence: "400: the client version is too old.",
    write: facts =>
      detailRefusal(
        `The '${facts.model}' model requires a newer version of Codex. Please upgrade to the latest app or CLI and try again.`,
      ),
  },
  "upgrade-required": {
    sentence: "426: no WebSocket here; for the handshake.",
    write: () => detailRefusal("Upgrade Required", 426),
  },
  "too-many-sockets": {
    sentence: "403 without a body, as a handshake gets it that is one too many.",
    write: () => ({ status: 403, contentType: "text/plain", body: "" }),
  },
  "server-error": {
    sentence: "500 as JSON; `status` changes the number.",
    write: () =>
      jsonRefusal(500, {
        error: { message: "The Sluice simulator failed on purpose.", type: "server_error", param: null, code: null },
      }),
  },
  "bad-gateway": {
    sentence: "502 as HTML; `status` changes the number.",
    write: () => htmlRefusal(502, PAGE("502 Bad Gateway", "The simulated edge cannot reach its origin.")),
  },
  overloaded: {
    sentence: "503: at capacity.",
    write: () =>
      jsonRefusal(503, {
        error: { message: OVERLOAD_TEXT, type: "service_unavailable_error", param: null, code: "server_is_overloaded" },
      }),
  },
  "html-200": { sentence: "200 with a web page.", write: () => htmlRefusal(200, PAGE("Maintenance", "Back soon.")) },
  "json-200": {
    sentence: "200 with a JSON error over several lines instead of a stream.",
    write: () => ({
      status: 200,
      contentType: "application/json",
      body: JSON.stringify({ error: { message: OVERLOAD_TEXT, code: "server_is_overloaded" } }, null, 2),
    }),
  },
  "detail-200": {
    sentence: "200 with a JSON detail under the content type of a stream.",
    write: () => ({
      status: 200,
      contentType: "text/event-stream",
      body: '{\n  "detail": "Something went wrong"\n}\n',
    }),
  },
}

/**
 * The headers agree with the body, although the account's own windows are left alone: the one that is said to be spent is the
 * first that is long enough for the stated reset, or the longest.
 */
function spentWindow(quota: QuotaView, resetsInSec: number): Refusal {
  const resetsAtSec = quota.nowSec + resetsInSec
  const refusal = usageLimitRefusal(quota, resetsAtSec)
  const { primary, secondary } = quota.state.windows[quota.family]
  const isPrimary = secondary === undefined || primary.windowMinutes * 60 >= resetsInSec
  const slot = `x-codex-${isPrimary ? "primary" : "secondary"}`
  const window = {
    [`${slot}-used-percent`]: "100",
    [`${slot}-reset-at`]: String(resetsAtSec),
    [`${slot}-reset-after-seconds`]: String(resetsInSec),
  }
  return { ...refusal, headers: { ...refusal.headers, ...window } }
}

/** Writes a scripted refusal with the settings' own status and `retry-after`. Undefined for an unknown name. */
export function writeScriptedRefusal(facts: RefusalFacts): Refusal | undefined {
  const refusal = SCRIPTED_REFUSALS[facts.settings.refuse]?.write(facts)
  if (refusal === undefined) return undefined
  const { status, retryAfterSec } = facts.settings
  return {
    ...refusal,
    status: status > 0 ? status : refusal.status,
    headers: { ...refusal.headers, ...(retryAfterSec < 0 ? {} : { "retry-after": String(retryAfterSec) }) },
  }
}
