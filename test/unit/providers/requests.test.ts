/** Requests to both providers: address, identity, and what of a client's headers goes on. */

import { describe, expect, test } from "bun:test"

import type { Account } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"
import { joinUrl, versionedBase } from "#providers/join-url.ts"
import type { TurnContext } from "#providers/provider.ts"
import { makeProviders } from "#providers/registry.ts"

const IDENTITY = {
  originator: "codex_cli_rs",
  userAgent: "codex_cli_rs/0.155.0 (Ubuntu 24.4.0; x86_64) sluice/0.1.0",
  clientVersion: "0.155.0",
}
const { codex, "openai-api": api } = makeProviders({ identity: IDENTITY })

// Ids have no form the providers would look at.
const ID = "acc_1" as AccountId
const SUBSCRIPTION: Account = {
  id: ID,
  provider: "codex",
  label: "a",
  workspaceId: "ws-1",
  disabled: false,
  credential: { type: "chatgpt", accessToken: "access", refreshToken: "refresh", generation: 1 },
  source: { type: "file", path: "a.json", index: 0 },
}
const KEY: Account = {
  ...SUBSCRIPTION,
  provider: "openai-api",
  credential: { type: "api-key", apiKey: "sk-1", generation: 1 },
}
const PLAIN: TurnContext = { codexClient: false, turnStateIsOurs: false }
const target = { account: SUBSCRIPTION, baseUrl: codex.defaultBaseUrl }

/** What a Codex client says about its turn. */
const CODEX_HEADERS = {
  "x-codex-turn-state": "opaque",
  "x-codex-turn-metadata": "{}",
  "x-codex-beta-features": "remote_compaction_v2",
  "x-codex-window-id": "w",
  "x-codex-parent-thread-id": "p",
  "x-openai-subagent": "review",
  "x-responsesapi-include-timing-metrics": "true",
  "x-openai-internal-codex-responses-lite": "true",
}

const CLIENT_HEADERS = new Headers({
  authorization: "Bearer client-key",
  "user-agent": "curl/8",
  cookie: "a=b",
  originator: "someone",
  "chatgpt-account-id": "other",
  "x-forwarded-for": "10.0.0.1",
  ...CODEX_HEADERS,
})

describe("a turn on a subscription", () => {
  test("carries exactly the identity, the credential and the conversation", () => {
    expect(codex.turnRequest(target, "{}", { ...PLAIN, sessionId: "s-1" })).toEqual({
      method: "POST",
      url: "https://chatgpt.com/backend-api/codex/responses",
      headers: {
        authorization: "Bearer access",
        "chatgpt-account-id": "ws-1",
        originator: "codex_cli_rs",
        "user-agent": IDENTITY.userAgent,
        version: "0.155.0",
        accept: "text/event-stream",
        "content-type": "application/json",
        "session-id": "s-1",
      },
      body: "{}",
      egress: undefined,
    })
  })

  test("nothing of an ordinary client's headers goes on", () => {
    const context = { ...PLAIN, clientHeaders: CLIENT_HEADERS }
    expect(codex.turnRequest(target, "{}", context)).toEqual(codex.turnRequest(target, "{}", PLAIN))
  })

  test("a Codex client's own headers go on, its identity and key do not", () => {
    const { headers } = codex.turnRequest(target, "{}", {
      codexClient: true,
      turnStateIsOurs: true,
      clientHeaders: CLIENT_HEADERS,
    })
    expect(headers).toMatchObject({
      authorization: "Bearer access",
      "chatgpt-account-id": "ws-1",
      originator: "codex_cli_rs",
      "user-agent": IDENTITY.userAgent,
      ...CODEX_HEADERS,
    })
    expect(headers["cookie"]).toBeUndefined()
    expect(headers["x-forwarded-for"]).toBeUndefined()
  })

  test("turn state of another account stays behind", () => {
    const context = { codexClient: true, turnStateIsOurs: false, clientHeaders: CLIENT_HEADERS }
    expect(codex.turnRequest(target, "{}", context).headers["x-codex-turn-state"]).toBeUndefined()
  })

  test("the lite flag follows the body that was built", () => {
    const name = "x-openai-internal-codex-responses-lite"
    const context = { codexClient: true, turnStateIsOurs: false, clientHeaders: CLIENT_HEADERS }
    expect(codex.turnRequest(target, "{}", { ...context, lite: false }).headers[name]).toBeUndefined()
    expect(codex.turnRequest(target, "{}", { ...PLAIN, lite: true }).headers[name]).toBe("true")
  })

  test("FedRAMP workspaces say so, and an account without workspace sends none", () => {
    const { workspaceId: _none, ...rest } = SUBSCRIPTION
    const { headers } = codex.turnRequest({ ...target, account: { ...rest, fedramp: true } }, "{}", PLAIN)
    expect(headers["x-openai-fedramp"]).toBe("true")
    expect("chatgpt-account-id" in headers).toBe(false)
  })
})

describe("other requests of a subscription", () => {
  test("compaction answers JSON", () => {
    const request = codex.compactRequest(target, "{}", PLAIN)
    expect(request.url).toBe("https://chatgpt.com/backend-api/codex/responses/compact")
    expect(request.headers["accept"]).toBe("application/json")
  })

  test("the model list asks with the version of the requests and with the known tag", () => {
    const request = codex.modelsRequest(target, 'W/"1"')
    expect(request).toMatchObject({
      method: "GET",
      url: "https://chatgpt.com/backend-api/codex/models?client_version=0.155.0",
    })
    expect(request.headers["if-none-match"]).toBe('W/"1"')
    expect("if-none-match" in codex.modelsRequest(target).headers).toBe(false)
    expect("body" in request).toBe(false)
  })

  test.each([
    ["https://chatgpt.com/backend-api/codex", "https://chatgpt.com/backend-api/wham/usage"],
    ["https://chatgpt.com/backend-api/codex/", "https://chatgpt.com/backend-api/wham/usage"],
    ["http://127.0.0.1:9000", "http://127.0.0.1:9000/api/codex/usage"],
    ["http://127.0.0.1:9000/api/codex", "http://127.0.0.1:9000/api/codex/usage"],
  ])("usage of %s is at %s", (baseUrl, url) => {
    expect(codex.usageRequest({ ...target, baseUrl })?.url).toBe(url)
  })

  test("a configured usage address is used as it is", () => {
    expect(codex.usageRequest(target, "https://elsewhere/usage")?.url).toBe("https://elsewhere/usage")
  })
})

describe("an API key", () => {
  const keyTarget = { account: KEY, baseUrl: api.defaultBaseUrl }

  test("a turn carries the key and no Codex identity", () => {
    const context = { codexClient: true, turnStateIsOurs: true, clientHeaders: CLIENT_HEADERS, sessionId: "s" }
    expect(api.turnRequest(keyTarget, "{}", context)).toEqual({
      method: "POST",
      url: "https://api.openai.com/v1/responses",
      headers: {
        authorization: "Bearer sk-1",
        accept: "text/event-stream",
        "content-type": "application/json",
        "user-agent": "sluice",
      },
      body: "{}",
      egress: undefined,
    })
  })

  test("the base URL of the credential counts before the configured one", () => {
    const own: Account = { ...KEY, credential: { type: "api-key", apiKey: "k", baseUrl: "https://own", generation: 1 } }
    expect(api.baseUrlOf(own, "https://configured")).toBe("https://own")
    expect(api.baseUrlOf(KEY, "https://configured")).toBe("https://configured")
    expect(api.baseUrlOf(KEY)).toBe("https://api.openai.com/v1")
    expect(codex.baseUrlOf(SUBSCRIPTION, "")).toBe("https://chatgpt.com/backend-api/codex")
  })

  test("a key cannot be refreshed, so a refusal is final at once", () => {
    const failure = { status: 401, code: "invalid_api_key", message: "Incorrect API key provided" }
    expect(api.readFailure(failure, { nowMs: 0, model: "m" })).toMatchObject({
      effect: { type: "needs-login" },
      next: "other-account",
    })
    expect(api.readFailure({ status: 401, message: "" }, { nowMs: 0, model: "m" }).effect.type).toBe("block")
  })

  test("its quota is unknown", () => {
    expect(api.usageRequest(keyTarget)).toBeUndefined()
    expect(api.readQuotaHeaders(new Headers({ "x-codex-plan-type": "plus" }), 0)).toBeUndefined()
  })
})

describe("addresses", () => {
  test.each([
    ["https://api.openai.com", "https://api.openai.com/v1"],
    ["https://api.openai.com/", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1//", "https://api.openai.com/v1"],
    ["https://api.openai.com/v1/responses", "https://api.openai.com/v1"],
    ["https://host/v1/chat/completions/", "https://host/v1"],
    ["https://host/openai/v1?x=1", "https://host/openai/v1"],
    ["https://host/api", "https://host/api"],
    [" http://127.0.0.1:9000 ", "http://127.0.0.1:9000/v1"],
  ])("the base %p is %p", (base, versioned) => {
    expect(versionedBase(base)).toBe(versioned)
  })

  test("slashes and a pasted endpoint do not double", () => {
    expect(joinUrl("https://h/a//", "/responses")).toBe("https://h/a/responses")
    expect(joinUrl("https://h/a/responses/", "/responses")).toBe("https://h/a/responses")
  })
})

describe("the table of providers", () => {
  test("every provider answers to its own name and speaks a dialect", () => {
    for (const [id, provider] of Object.entries(makeProviders({ identity: IDENTITY }))) {
      expect(String(provider.id)).toBe(id)
      expect(provider.dialect).toBe("openai-responses")
    }
  })

  test("only the Codex backend is picky about bodies", () => {
    expect(codex.rules.codexBackend).toBe(true)
    expect(codex.rules.allowedKeys?.has("max_output_tokens")).toBe(false)
    expect(codex.rules.allowedKeys?.has("previous_response_id")).toBe(false)
    expect(api.rules).toEqual({ codexBackend: false })
  })
})

describe("an account with an upstream and a way out of its own", () => {
  const own: Account = { ...SUBSCRIPTION, baseUrl: "https://relay.test/backend-api/codex", egress: "http://proxy.test" }

  test("every request of a subscription names its way out, and its quota is asked where it is used", () => {
    const baseUrl = codex.baseUrlOf(own, "https://configured.test")
    const ownTarget = { account: own, baseUrl }
    const usage = codex.usageRequest(ownTarget, "https://configured.test/usage")
    const requests = [
      codex.turnRequest(ownTarget, "{}", PLAIN),
      codex.compactRequest(ownTarget, "{}", PLAIN),
      codex.modelsRequest(ownTarget),
      usage,
    ]
    expect(baseUrl).toBe("https://relay.test/backend-api/codex")
    expect(usage?.url).toBe("https://relay.test/backend-api/wham/usage")
    expect(requests.map(request => request?.egress)).toEqual(Array(4).fill("http://proxy.test"))
  })

  test("every request with a key names its way out", () => {
    const keyTarget = { account: { ...KEY, egress: "http://proxy.test" }, baseUrl: api.defaultBaseUrl }
    const requests = [
      api.turnRequest(keyTarget, "{}", PLAIN),
      api.compactRequest(keyTarget, "{}", PLAIN),
      api.modelsRequest(keyTarget),
    ]
    expect(requests.map(request => request.egress)).toEqual(Array(3).fill("http://proxy.test"))
  })
})
