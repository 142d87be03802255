/** The public OpenAI API, or anything that speaks its Responses dialect, with an API key. */

import type { Verdict } from "#core/outcome.ts"
import type { UpstreamFailure, UpstreamTarget } from "#core/upstream.ts"

import { readErrorReply } from "./error-reply.ts"
import { joinUrl, versionedBase } from "./join-url.ts"
import type { FailureContext, Provider } from "./provider.ts"
import { readFailure } from "./read-failure.ts"
import { readPublicModels } from "./read-models.ts"
import { bearerOf } from "./turn-headers.ts"

const DEFAULT_BASE_URL = "https://api.openai.com/v1"

/** Makes the provider for API keys. Bodies have no restrictions; quota is not announced. */
export function makeOpenaiApiProvider(): Provider {
  const post = (target: UpstreamTarget, call: { path: string; accept: string; body: string }) =>
    ({
      method: "POST",
      url: joinUrl(versionedBase(target.baseUrl), call.path),
      headers: { ...headersOf(target, call.accept), "content-type": "application/json" },
      body: call.body,
      egress: target.account.egress,
    }) as const

  return {
    id: "openai-api",
    dialect: "openai-responses",
    rules: { codexBackend: false },
    defaultBaseUrl: DEFAULT_BASE_URL,
    baseUrlOf: ({ credential }, configuredUrl) =>
      (credential.type === "api-key" && credential.baseUrl) || configuredUrl || DEFAULT_BASE_URL,
    turnRequest: (target, body) => post(target, { path: "/responses", accept: "text/event-stream", body }),
    compactRequest: (target, body) => post(target, { path: "/responses/compact", accept: "application/json", body }),
    searchRequest: (target, body) => post(target, { path: "/alpha/search", accept: "application/json", body }),
    modelsRequest: (target, etag) => ({
      method: "GET",
      url: joinUrl(versionedBase(target.baseUrl), "/models"),
      headers: {
        ...headersOf(target, "application/json"),
        ...(etag !== undefined && { "if-none-match": etag }),
      },
      egress: target.account.egress,
    }),
    usageRequest: () => undefined,
    resetCreditsRequest: () => undefined,
    redeemRequest: () => undefined,
    readErrorReply,
    readFailure: readApiFailure,
    readQuotaHeaders: () => undefined,
    readUsageBody: () => undefined,
    readRateLimitEvent: () => undefined,
    readModels: readPublicModels,
  }
}

function headersOf(target: UpstreamTarget, accept: string): Record<string, string> {
  return { authorization: `Bearer ${bearerOf(target.account)}`, accept, "user-agent": "sluice" }
}

/** A key cannot be refreshed: what would be a second refusal elsewhere is the first one here. */
export function readApiFailure(failure: UpstreamFailure, context: FailureContext): Verdict {
  return readFailure(failure, { ...context, refreshed: true })
}
