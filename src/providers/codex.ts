/** The Codex backend of a ChatGPT subscription: endpoint, identity, and the rules its bodies must keep. */

import type { RequestRules, UpstreamTarget } from "#core/upstream.ts"

import { readErrorReply } from "./error-reply.ts"
import { joinUrl } from "./join-url.ts"
import type { Provider, ProviderParts, TurnContext } from "./provider.ts"
import { readFailure } from "./read-failure.ts"
import { readCodexModels } from "./read-models.ts"
import { readQuotaHeaders } from "./read-quota-headers.ts"
import { readRateLimitEvent, readUsageBody } from "./read-quota-json.ts"
import { socketHeaders, socketMetadata } from "./socket-headers.ts"
import { codexHeaders, turnHeaders } from "./turn-headers.ts"

const DEFAULT_BASE_URL = "https://chatgpt.com/backend-api/codex"

/** Any other top-level key is answered with 400 "Unsupported parameter". */
const CODEX_RULES: RequestRules = {
  codexBackend: true,
  allowedKeys: new Set([
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "text",
    "include",
    "store",
    "stream",
    "stream_options",
    "prompt_cache_key",
    "service_tier",
    "client_metadata",
  ]),
}

/** Makes the provider for ChatGPT subscriptions. */
export function makeCodexProvider({ identity }: ProviderParts): Provider {
  const headersOf = (target: UpstreamTarget, accept: string) => ({
    ...codexHeaders(target.account, identity),
    accept,
  })
  const post = (target: UpstreamTarget, call: { path: string; accept: string; body: string; context: TurnContext }) =>
    ({
      method: "POST",
      url: joinUrl(target.baseUrl, call.path),
      headers: { ...headersOf(target, call.accept), ...turnHeaders(call.context) },
      body: call.body,
      egress: target.account.egress,
    }) as const

  return {
    id: "codex",
    dialect: "openai-responses",
    rules: CODEX_RULES,
    defaultBaseUrl: DEFAULT_BASE_URL,
    baseUrlOf: ({ baseUrl }, configuredUrl) => baseUrl || configuredUrl || DEFAULT_BASE_URL,
    turnRequest: (target, body, context) =>
      post(target, { path: "/responses", accept: "text/event-stream", body, context }),
    socketTurn: (target, body, context) => {
      const { sessionId } = context
      if (sessionId === undefined) return undefined
      return {
        url: joinUrl(target.baseUrl, "/responses").replace(/^http/, "ws"),
        conversation: sessionId,
        headers: { ...codexHeaders(target.account, identity), ...socketHeaders(sessionId, context) },
        metadata: socketMetadata(context),
        body,
      }
    },
    compactRequest: (target, body, context) =>
      post(target, { path: "/responses/compact", accept: "application/json", body, context }),
    searchRequest: (target, body, context) =>
      post(target, { path: "/alpha/search", accept: "application/json", body, context }),
    modelsRequest: (target, etag) => ({
      method: "GET",
      url: `${joinUrl(target.baseUrl, "/models")}?client_version=${encodeURIComponent(identity.clientVersion)}`,
      headers: {
        ...headersOf(target, "application/json"),
        ...(etag !== undefined && { "if-none-match": etag }),
      },
      egress: target.account.egress,
    }),
    usageRequest: (target, usageUrl) => ({
      method: "GET",
      url: usageUrlFor(target, usageUrl),
      headers: headersOf(target, "application/json"),
      egress: target.account.egress,
    }),
    resetCreditsRequest: (target, usageUrl) => ({
      method: "GET",
      url: resetCreditsUrlOf(target, usageUrl),
      headers: headersOf(target, "application/json"),
      egress: target.account.egress,
    }),
    redeemRequest: (target, { requestId, creditId }, usageUrl) => ({
      method: "POST",
      url: `${resetCreditsUrlOf(target, usageUrl)}/consume`,
      headers: { ...headersOf(target, "application/json"), "content-type": "application/json" },
      body: JSON.stringify({ redeem_request_id: requestId, credit_id: creditId }),
      egress: target.account.egress,
    }),
    readErrorReply,
    readFailure,
    readQuotaHeaders,
    readUsageBody,
    readRateLimitEvent,
    readModels: readCodexModels,
  }
}

/** The configured address belongs to the configured upstream. */
function usageUrlFor({ account, baseUrl }: UpstreamTarget, configured: string | undefined): string {
  return (account.baseUrl === undefined && configured) || usageUrlOf(baseUrl)
}

/** Banked resets lie beside the quota endpoint, where that is called as the vendor calls it. */
function resetCreditsUrlOf(target: UpstreamTarget, configured: string | undefined): string {
  const configuredUrl = usageUrlFor(target, configured)
  const url = /\/usage\/?$/.test(configuredUrl) ? configuredUrl : usageUrlOf(target.baseUrl)
  return url.replace(/\/usage\/?$/, "/rate-limit-reset-credits")
}

/**
 * The quota endpoint lies beside the Codex path on the vendor's host and under `/api/codex` elsewhere.
 * Source: https://github.com/openai/codex/blob/main/codex-rs/backend-client/src/client.rs
 */
function usageUrlOf(baseUrl: string): string {
  const marker = "/backend-api"
  const at = baseUrl.indexOf(marker)
  if (at >= 0) return `${baseUrl.slice(0, at + marker.length)}/wham/usage`
  const root = joinUrl(baseUrl, "").replace(/\/api\/codex$/, "")
  return `${root}/api/codex/usage`
}
