/** Client keys over HTTP: made once, shown never again, and what they do to requests. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test"

import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

let gateway: InProcessGateway

beforeAll(async () => {
  const prices = { "*": { input: 1, cachedInput: 0.1, output: 10 } }
  gateway = await startInProcessGateway({ accounts: 2, files: 2, config: { prices } })
})
afterAll(() => gateway.stop())

const create = async (order: object = {}) =>
  (await gateway.ask("POST", "/api/admin/keys", { name: "someone", ...order })).json
const withKey = (key: string) => ({ authorization: `Bearer ${key}` })
const chat = (key: string, body: object = {}) =>
  gateway.ask(
    "POST",
    "/v1/chat/completions",
    { model: "gpt-5.5", messages: [{ role: "user", content: "hello" }], ...body },
    withKey(key),
  )
const show = async (id: string) => (await gateway.ask("GET", `/api/admin/keys/${id}`)).json

describe("making a key", () => {
  test("its text is in that one answer, in no other and in no file", async () => {
    const { key, id, prefix } = await create({ name: "laptop", owner: "team a", note: "until spring" })
    expect(key).toMatch(/^sk-[\w-]{32}$/)
    expect(prefix).toBe(key.slice(0, 8))
    expect(await show(id)).toMatchObject({ name: "laptop", owner: "team a", state: "active", limits: null })
    const list = await gateway.ask("GET", "/api/admin/keys")
    expect(list.text).toContain(id)
    expect(list.text).not.toContain(key)
    expect(gateway.log()).not.toContain(key)
    const files = [...new Bun.Glob("**/*").scanSync({ cwd: gateway.folder, dot: true })]
    for (const file of files) expect(await Bun.file(`${gateway.folder}/${file}`).text()).not.toContain(key)
  })

  test("one's own text works, unless it is short or taken", async () => {
    const own = "sk-of-my-own-choice-42"
    const { id } = await create({ name: "own", key: own })
    expect((await chat(own)).status).toBe(200)
    expect(await create({ key: own })).toMatchObject({ error: { code: "key_exists" } })
    expect(await create({ key: gateway.clientKey })).toMatchObject({ error: { code: "key_exists" } })
    expect(await create({ key: "short" })).toMatchObject({ error: { code: "invalid_order" } })
    await gateway.ask("DELETE", `/api/admin/keys/${id}?confirm=true`)
    expect((await chat(own)).status).toBe(401)
  })

  test.each([
    [{ limits: { rpm: 0 } }, "limits.rpm"],
    [{ limits: { rmp: 5 } }, "limits.rmp"],
    [{ limits: { "5h": { cost: 5 } } }, "limits.5h.cost"],
    [{ addresses: ["10.0.0.0/99"] }, "addresses"],
    [{ expires_at: "tomorrow" }, "expires_at"],
    [{ unknown: true }, "unknown"],
  ])("%j is refused, naming what is wrong", async (order, named) => {
    const refused = await gateway.ask("POST", "/api/admin/keys", { name: "bad", ...order })
    expect(refused.status).toBe(400)
    expect(refused.json.error.message).toContain(named)
  })
})

describe("a key at work", () => {
  test("its requests are counted, with tokens and cost", async () => {
    const { key, id } = await create({ name: "counted" })
    const answer = await chat(key)
    expect(answer.status).toBe(200)
    const { prompt_tokens: input, completion_tokens: output } = answer.json.usage
    const { usage, limits } = (await gateway.ask("GET", `/api/admin/keys/${id}/usage`)).json
    expect(usage.total).toMatchObject({ requests: 1, input_tokens: input, output_tokens: output })
    expect(usage.day).toEqual(usage.total)
    expect(usage["5h"].cost_usd).toBeCloseTo((input + output * 10) / 1e6, 6)
    expect(limits).toEqual([])
    expect((await show(id)).last_used_at).toContain("T")
  })

  test.each([
    ["/v1/chat/completions", { messages: [{ role: "user", content: "hi" }] }, ["error", "type"], "rate_limit_error"],
    ["/v1/responses", { input: "hi" }, ["error", "code"], "rate_limit_exceeded"],
    [
      "/v1/messages",
      { max_tokens: 50, messages: [{ role: "user", content: "hi" }] },
      ["error", "type"],
      "rate_limit_error",
    ],
  ])("%s says in its own dialect which limit is reached, and until when", async (path, body, [outer, inner], word) => {
    const { key } = await create({ limits: { rpm: 1 } })
    const send = () => gateway.ask("POST", path, { model: "gpt-5.5", ...body }, withKey(key))
    expect((await send()).status).toBe(200)
    const refused = await send()
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50)
    expect(refused.json[outer ?? ""][inner ?? ""]).toBe(word)
    expect(refused.json.error.message).toContain("`rpm` of 1 request a minute")
  })

  test("Gemini is told so as well", async () => {
    const { key } = await create({ limits: { rpm: 1 } })
    const path = "/v1beta/models/gpt-5.5:generateContent"
    const send = () =>
      gateway.ask("POST", path, { contents: [{ role: "user", parts: [{ text: "hi" }] }] }, { "x-goog-api-key": key })
    expect((await send()).status).toBe(200)
    expect((await send()).json.error).toMatchObject({ code: 429, status: "RESOURCE_EXHAUSTED" })
  })

  test("what it may not do is 403, and only a wrong key is 401", async () => {
    const { key, id } = await create({ models: { allow: ["gpt-5.4*"] } })
    expect((await chat(key)).json.error).toMatchObject({ code: "key_model_not_allowed", param: "model" })
    expect((await chat(key)).status).toBe(403)
    await gateway.ask("PATCH", `/api/admin/keys/${id}`, { models: null })
    expect((await chat(key)).status).toBe(200)
    await gateway.ask("PATCH", `/api/admin/keys/${id}`, { enabled: false })
    expect((await chat(key)).json.error).toMatchObject({ code: "key_disabled" })
    await gateway.ask("PATCH", `/api/admin/keys/${id}`, { enabled: true, expires_at: "2020-01-01T00:00:00Z" })
    expect((await chat(key)).json.error).toMatchObject({ code: "key_expired" })
    await gateway.ask("PATCH", `/api/admin/keys/${id}`, { expires_at: null, addresses: ["192.0.2.0/24"] })
    expect((await chat(key)).json.error).toMatchObject({ code: "key_address_not_allowed" })
    expect((await chat("sk-wrong")).status).toBe(401)
  })

  test("it sees no accounts and orders nothing", async () => {
    const { key } = await create()
    for (const [method, path] of [
      ["GET", "/stats"],
      ["POST", "/refresh"],
      ["POST", "/check-quota"],
    ] as const) {
      expect([path, (await gateway.ask(method, path, undefined, withKey(key))).status]).toEqual([path, 403])
    }
    expect((await gateway.ask("GET", "/v1/models", undefined, withKey(key))).status).toBe(200)
  })

  test("model lists show what it may use, in every form", async () => {
    const { key } = await create({ models: { deny: ["gpt-5.5*"] } })
    const paths = [
      "/v1/models",
      "/v1/models/catalog",
      "/v1beta/models",
      "/backend-api/codex/models?client_version=0.155.0",
    ]
    for (const path of paths) {
      expect((await gateway.ask("GET", path, undefined, withKey(gateway.clientKey))).text).toContain("gpt-5.5")
      const shown = await gateway.ask("GET", path, undefined, withKey(key))
      expect([path, shown.status, shown.text.includes("gpt-5.5")]).toEqual([path, 200, false])
      expect(shown.text).toContain("gpt-5")
    }
  })

  test("after a rotation the old text opens nothing and the usage goes on", async () => {
    const { key, id } = await create({ name: "rotated" })
    await chat(key)
    const { key: next, prefix } = (await gateway.ask("POST", `/api/admin/keys/${id}/rotate`)).json
    expect((await chat(key)).status).toBe(401)
    expect((await chat(next)).status).toBe(200)
    expect(await show(id)).toMatchObject({ prefix, usage: { total: { requests: 2 } } })
  })

  test("keys, limits and usage outlast a restart", async () => {
    const { key, id } = await create({ limits: { total: { requests: 2 } } })
    await chat(key)
    await gateway.restart()
    expect((await chat(key)).status).toBe(200)
    const refused = await chat(key)
    expect([refused.status, refused.json.error.code]).toEqual([429, "insufficient_quota"])
    await gateway.ask("POST", `/api/admin/keys/${id}/reset-usage`)
    expect((await chat(key)).status).toBe(200)
  })

  test("its accounts are those of its tags, and no request ever reaches another one", async () => {
    const { accounts } = (await gateway.ask("GET", "/api/admin/accounts")).json
    const [first] = accounts
    await gateway.ask("PATCH", `/api/admin/accounts/${first.id}`, { tags: ["team-a"] })
    const { key } = await create({ tags: { allow: ["team-a"] } })
    const uses = async (id: string) =>
      (await gateway.ask("GET", `/api/admin/accounts/${id}`)).json.requests?.requests ?? 0
    const [mine, other] = [await uses(first.id), await uses(accounts[1].id)]
    for (let sent = 0; sent < 6; sent++) expect((await chat(key, { user: `u${sent}` })).status).toBe(200)
    expect([await uses(first.id), await uses(accounts[1].id)]).toEqual([mine + 6, other])
    const nobody = await create({ tags: { allow: ["team-z"] } })
    expect((await chat(nobody.key)).status).toBe(503)
  })

  test("deleting needs a confirmation", async () => {
    const { key, id } = await create()
    expect((await gateway.ask("DELETE", `/api/admin/keys/${id}`)).json.error.code).toBe("confirmation_required")
    expect((await chat(key)).status).toBe(200)
    expect((await gateway.ask("DELETE", `/api/admin/keys/${id}`, { confirm: true })).json.deleted).toBe(id)
    expect((await gateway.ask("GET", `/api/admin/keys/${id}`)).status).toBe(404)
  })
})

describe("james-6-23/codex2api's words", () => {
  test("make a key, change its budget and list it", async () => {
    const limits = {
      rpm: 30,
      max_concurrency: 2,
      cost_limit_5h: 1.5,
      token_limit_7d: 1000,
      model_allow: ["gpt-5.5"],
      rpd: 0,
    }
    const made = await create({ name: "theirs", quota_limit: 20, limits, allowed_group_ids: [] })
    expect(made.key).toMatch(/^sk-/)
    expect(await show(made.id)).toMatchObject({
      models: { allow: ["gpt-5.5"] },
      limits: { rpm: 30, concurrency: 2, "5h": { cost_usd: 1.5 }, "7d": { tokens: 1000 }, total: { cost_usd: 20 } },
    })
    await gateway.ask("PATCH", `/api/admin/keys/${made.id}`, { quota_limit: 0 })
    const { limits: after } = await show(made.id)
    expect(after).toEqual({ rpm: 30, concurrency: 2, "5h": { cost_usd: 1.5 }, "7d": { tokens: 1000 } })
    await gateway.ask("PATCH", `/api/admin/keys/${made.id}`, { quota_limit: 7 })
    const { keys } = (await gateway.ask("GET", "/api/admin/keys?shape=codex2api")).json
    expect(keys.find((one: { id: string }) => one.id === made.id)).toMatchObject({
      name: "theirs",
      quota_limit: 7,
      quota_used: 0,
      limits: { rpm: 30, max_concurrency: 2, cost_limit_5h: 1.5, token_limit_7d: 1000, model_allow: ["gpt-5.5"] },
    })
    expect((await gateway.ask("POST", `/api/admin/keys/${made.id}/reset-quota`)).status).toBe(200)
  })

  test("what has no words here is refused, not forgotten", async () => {
    const refused = (order: object) => create(order).then(answer => answer.error?.message)
    expect(await refused({ quota_limit: 5, allowed_group_ids: [3] })).toContain("allowed_group_ids")
    expect(await refused({ limits: { max_concurrency: 2, image_policy: "block" } })).toContain("limits.image_policy")
    expect(await refused({ quota_limit: "much" })).toContain("limits.total.cost_usd")
  })
})

describe("icebear0828/codex-proxy's routes", () => {
  const path = "/admin/client-keys"

  test("make, change, switch and delete a key, and the key sees its own budget", async () => {
    const made = await gateway.ask("POST", path, {
      name: "Test Client",
      max_budget_usd: 5,
      max_tokens: 100_000,
      max_concurrency: 3,
      allowed_models: ["gpt-5.5"],
    })
    expect(made.json).toMatchObject({ success: true, key: { status: "active", max_budget_usd: 5, used_cost_usd: 0 } })
    const { id, key } = made.json.key
    expect((await chat(key)).status).toBe(200)
    const info = (await gateway.ask("GET", "/v1/sub-key/info", undefined, withKey(key))).json
    expect(info).toMatchObject({ name: "Test Client", status: "active", max_tokens: 100_000, request_count: 1 })
    expect(info.remaining_tokens).toBe(100_000 - info.used_tokens)
    expect(info.remaining_budget_usd).toBeCloseTo(5 - info.used_cost_usd, 9)
    const changed = (await gateway.ask("PUT", `${path}/${id}`, { max_budget_usd: null, name: "Renamed" })).json.key
    expect(changed).toMatchObject({ name: "Renamed", max_budget_usd: null, max_tokens: 100_000, max_concurrency: 3 })
    expect((await gateway.ask("POST", `${path}/${id}/toggle`)).json.key.status).toBe("disabled")
    expect((await chat(key)).status).toBe(403)
    expect((await gateway.ask("POST", `${path}/${id}/reset-usage`)).json.key.request_count).toBe(0)
    const list = (await gateway.ask("GET", path)).json
    expect(list.keys.find((one: { id: string }) => one.id === id)).toMatchObject({ status: "disabled" })
    expect(list.total).toBe(list.keys.length)
    expect((await gateway.ask("DELETE", `${path}/${id}`)).json).toEqual({ success: true })
    expect((await gateway.ask("DELETE", `${path}/${id}`)).status).toBe(404)
  })

  test("a key of the configuration has nothing to see", async () => {
    const answer = await gateway.ask("GET", "/v1/sub-key/info", undefined, withKey(gateway.clientKey))
    expect([answer.status, answer.json.error.code]).toEqual([404, "key_not_stored"])
  })
})
