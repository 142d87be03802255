/** Scripts, the control endpoint, the recorder and the model catalogue. */

import { expect, test } from "bun:test"

import type { JsonObject } from "#core/json.ts"
import { SCENARIOS } from "#simulator/scripts/scenarios.ts"
import type { Simulator } from "#simulator/simulator.ts"

import { GOOD_BODY, headersFor, postTurn, saying, turnEvents, withSimulator } from "./client.ts"

function act(simulator: Simulator, body: JsonObject): Promise<Response> {
  return fetch(`${simulator.url}/__control`, { method: "POST", body: JSON.stringify(body) })
}

test("a script holds for the next requests of one account and then no more", () =>
  withSimulator(
    async simulator => {
      simulator.control.script({ scenario: "overloaded", account: "account-2", times: 2 })
      const statuses: number[] = []
      for (const account of ["account-1", "account-2", "account-2", "account-2"]) {
        statuses.push((await postTurn(simulator, GOOD_BODY, { account })).status)
      }
      expect(statuses).toEqual([200, 503, 503, 200])
    },
    { accounts: 2 },
  ))

test("a prompt can script only the first tries of itself", () =>
  withSimulator(async simulator => {
    const body = saying("[[simulate: bad-gateway times=1 retry-after-sec=3]] hi")
    const first = await postTurn(simulator, body)
    expect([first.status, first.headers.get("retry-after")]).toEqual([502, "3"])
    expect((await postTurn(simulator, body)).status).toBe(200)
  }))

test("typing errors in scripts are told and never ignored", () =>
  withSimulator(async simulator => {
    const messages = [
      await (await postTurn(simulator, saying("[[simulate: slwo]]"))).text(),
      await (await postTurn(simulator, saying("[[simulate: slow chunk-byte=1]]"))).text(),
      await (await postTurn(simulator, saying("[[simulate: slow chunk-bytes=many]]"))).text(),
      await (await act(simulator, { action: "nonsense" })).text(),
      await (await act(simulator, { action: "script", settings: { cut: "sideways" } })).text(),
      await (await act(simulator, { action: "quota", name: "nobody" })).text(),
    ]
    for (const message of messages) expect(message).toContain("simulator_misuse")
  }))

test("the control endpoint does what the handle does", () =>
  withSimulator(async simulator => {
    await act(simulator, { action: "script", scenario: "usage-limit", settings: { "resets-in-sec": 60 }, times: 1 })
    const refused = await postTurn(simulator, GOOD_BODY)
    expect(refused.status).toBe(429)
    expect(refused.headers.get("x-codex-primary-reset-after-seconds")).toBe("60")
    await act(simulator, { action: "quota", name: "account-1", quota: { primary: { usedPercent: 100 } } })
    expect((await postTurn(simulator, GOOD_BODY)).status).toBe(429)
    const created = await act(simulator, { action: "create-account", account: { plan: "pro" } })
    expect(await created.json()).toMatchObject({ result: { name: "account-2", plan: "pro" } })
    expect((await postTurn(simulator, GOOD_BODY, { account: "account-2" })).status).toBe(200)
  }))

test("the recorder keeps headers, parsed body, account and status, but not the control's own calls", () =>
  withSimulator(async simulator => {
    await postTurn(simulator, saying("remember me"), { headers: { "session-id": "s-1" } })
    const answer = await fetch(`${simulator.url}/__recorded?path=/responses`)
    expect(await answer.json()).toMatchObject({
      requests: [
        {
          method: "POST",
          path: "/backend-api/codex/responses",
          account: "account-1",
          status: 200,
          headers: { "session-id": "s-1" },
          body: { input: [{ content: [{ text: "remember me" }] }] },
        },
      ],
    })
    expect(simulator.control.recorded().length).toBe(1)
  }))

test("the recorder forgets the oldest beyond its limit", () =>
  withSimulator(
    async simulator => {
      for (const text of ["a", "b", "c"]) await postTurn(simulator, saying(text))
      expect(simulator.control.recorded().map(request => request.number)).toEqual([2, 3])
    },
    { recordLimit: 2 },
  ))

test("every scenario can be put in force", () =>
  withSimulator(async simulator => {
    for (const scenario of SCENARIOS) simulator.control.script({ scenario: scenario.name, times: 1 })
    expect(new Set(SCENARIOS.map(scenario => scenario.name)).size).toBe(SCENARIOS.length)
  }))

test("a scripted call does not ask again once the tool has answered", () =>
  withSimulator(async simulator => {
    const body = saying("[[simulate: call tool=add]]")
    const call = { type: "function_call", call_id: "call_1", name: "add", arguments: "{}" }
    const output = { type: "function_call_output", call_id: "call_1", output: "5" }
    const input = [...(body["input"] as readonly JsonObject[]), call, output]
    const events = await turnEvents(simulator, { ...body, input })
    expect(events.some(event => String(event["type"]).includes("output_text"))).toBe(true)
  }))

test("the catalogue is filtered by client version and plan, and answers 304 to its own tag", () =>
  withSimulator(async simulator => {
    const list = async (version: string, headers: Record<string, string> = {}) => {
      const url = `${simulator.url}/backend-api/codex/models?client_version=${version}`
      const answer = await fetch(url, { headers: { ...headersFor(simulator), ...headers } })
      const etag = answer.headers.get("etag") ?? ""
      if (answer.status === 304) return { status: 304, etag, slugs: [] }
      const body = (await answer.json()) as { models: readonly { slug: string }[] }
      return { status: answer.status, etag, slugs: body.models.map(model => model.slug) }
    }
    const old = await list("0.152.0")
    const current = await list("0.155.0")
    expect(old.slugs).not.toContain("gpt-6-astra")
    expect((await list("0.153.0")).slugs).toContain("gpt-6-astra")
    expect(current.slugs).not.toContain("gpt-5.3-codex-spark")
    expect(old.etag).not.toBe(current.etag)
    expect((await list("0.155.0", { "if-none-match": current.etag })).status).toBe(304)
    expect((await postTurn(simulator, GOOD_BODY)).headers.get("x-models-etag")).toBe(current.etag)
    simulator.control.changeModels()
    expect((await list("0.155.0", { "if-none-match": current.etag })).status).toBe(200)
    simulator.control.updateAccount("account-1", { plan: "pro" })
    expect((await list("0.155.0")).slugs).toContain("gpt-5.3-codex-spark")
    simulator.control.script({ scenario: "not-found", endpoint: "models" })
    const missing = await fetch(`${simulator.url}/backend-api/codex/models`, { headers: headersFor(simulator) })
    expect([missing.status, (await postTurn(simulator, GOOD_BODY)).status]).toEqual([404, 200])
  }))

test("turn state names its account, so that a crossing shows", () =>
  withSimulator(async simulator => {
    const { headers } = await postTurn(simulator, GOOD_BODY)
    const state = headers.get("x-codex-turn-state") ?? ""
    expect(Buffer.from(state, "base64url").toString()).toStartWith("turn/account-1/")
    const next = await postTurn(simulator, GOOD_BODY, { headers: { "x-codex-turn-state": state } })
    expect(next.headers.get("x-codex-turn-state")).toBe(state)
  }))

test("the simulator says what it is", () =>
  withSimulator(async simulator => {
    const banner = await fetch(simulator.url)
    expect(await banner.text()).toContain("simulator")
    expect(banner.headers.get("server")).toBe("sluice-simulator")
  }))
