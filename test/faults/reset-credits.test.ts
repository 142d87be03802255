/** Reset credits: shown, spent once whoever asks how often, and what they open is seen at once. */

import { expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, type JsonObject, numberAt, stringAt } from "#core/json.ts"

import { type FaultGateway, startOwnGateway, turn } from "./fixture.ts"

setDefaultTimeout(20_000)

const CONSUME = "/wham/rate-limit-reset-credits/consume"

/** A gateway with one account whose five hours are used up and that has credits banked. */
async function startSpent(credits: number) {
  const gateway = await startOwnGateway({ accounts: 1 })
  gateway.control.grantResets("account-1", credits)
  gateway.control.setQuota("account-1", { primary: { usedPercent: 100, resetsInSec: 7200 } })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(429)
  const list = (await gateway.get("/api/admin/accounts")).json()
  const [account] = (arrayAt(list, "accounts") ?? []).filter(isJsonObject)
  const path = `/api/admin/accounts/${stringAt(account ?? {}, "id")}/reset-credits`
  const redeem = (body: JsonObject = {}, headers = {}) => gateway.post(path, { confirm: true, ...body }, headers)
  return { ...gateway, path, redeem }
}

/** Orders that reached the upstream, and credits it has spent. */
function spentOf({ control }: FaultGateway) {
  const ids = control.recorded({ path: CONSUME }).map(({ body }) => {
    return isJsonObject(body) ? (stringAt(body, "redeem_request_id") ?? "") : ""
  })
  const open = control.grantResets("account-1", 0).filter(({ redeemedAtSec }) => redeemedAtSec === undefined)
  return { ids, open: open.length }
}

test.concurrent("fault 9: two tabs that spend a credit at once spend one, and the account serves", async () => {
  await using gateway = await startSpent(3)
  const replies = await Promise.all([
    gateway.redeem({ idempotency_key: "first tab" }),
    gateway.redeem({ idempotency_key: "second tab" }),
    gateway.redeem({}, { "idempotency-key": "third tab" }),
  ])
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
  const bodies = replies.map(reply => reply.json())
  expect(bodies.map(body => stringAt(body, "outcome"))).toEqual(["reset", "reset", "reset"])
  expect(bodies.map(body => body["repeated"])).toEqual([false, true, true])
  expect(spentOf(gateway)).toMatchObject({ open: 2 })
  // Its block has been judged anew: the reset that was two hours away no longer counts.
  expect((await gateway.post("/v1/responses", turn({ text: "afterwards" }))).status).toBe(200)
})

test.concurrent("fault 9: a second tab that spends later, with a key of its own, finds nothing used up", async () => {
  await using gateway = await startSpent(2)
  expect((await gateway.redeem({ idempotency_key: "first tab" })).status).toBe(200)
  const late = await gateway.redeem({ idempotency_key: "second tab" })
  expect(late.status).toBe(400)
  expect(late.json()["error"]).toMatchObject({ code: "quota_not_spent" })
  const again = await gateway.redeem({ idempotency_key: "first tab" })
  expect(again.json()).toMatchObject({ outcome: "reset", repeated: true })
  expect(spentOf(gateway)).toMatchObject({ open: 1 })
})

test.concurrent("fault 9: an order whose answer is lost is sent again under the same id, and spends one credit", async () => {
  await using gateway = await startSpent(2)
  gateway.control.script({ endpoint: "reset-credits", settings: { hold: "list", holdAfterEvents: -1 }, times: 1 })
  const order = gateway.redeem()
  await gateway.control.untilWaiting("list", 1)
  // From here on: the order itself, which is carried out while its answer is lost.
  gateway.control.script({ endpoint: "reset-credits", settings: { cut: "reset" }, times: 1 })
  gateway.control.release("list")
  expect((await order).json()).toMatchObject({ outcome: "already_redeemed" })
  const { ids, open } = spentOf(gateway)
  expect(ids).toHaveLength(2)
  expect(new Set(ids).size).toBe(1)
  expect(open).toBe(1)
  expect((await gateway.post("/v1/responses", turn({ text: "afterwards" }))).status).toBe(200)
})

test.concurrent("fault 9: the same credit ordered again after a restart is not spent again", async () => {
  await using gateway = await startSpent(2)
  const first = await gateway.redeem()
  const credit_id = stringAt(first.json(), "credit_id") ?? ""
  await gateway.process().stop()
  await gateway.startAgain()
  gateway.control.setQuota("account-1", { primary: { usedPercent: 100, resetsInSec: 7200 } })
  const again = await gateway.redeem({ credit_id })
  expect(again.json()).toMatchObject({ outcome: "already_redeemed", windows_reset: 0 })
  const { ids, open } = spentOf(gateway)
  expect(new Set(ids).size).toBe(1)
  expect(open).toBe(1)
})

test.concurrent("credits are shown with their account, and none is spent without being confirmed", async () => {
  await using gateway = await startSpent(2)
  const list = (await gateway.get(gateway.path)).json()
  expect(numberAt(list, "available_count")).toBe(2)
  const credit = { status: "available", type: "codex_rate_limits", expires_at: expect.stringContaining("T") }
  expect(arrayAt(list, "credits")).toMatchObject([credit, credit])
  await gateway.post("/check-quota", "")
  const accounts = (await gateway.get("/api/admin/accounts")).json()
  expect(accounts["accounts"]).toMatchObject([{ quota: { resetCredits: 2 } }])
  const unconfirmed = await gateway.post(gateway.path, {})
  expect(unconfirmed.status).toBe(400)
  expect(unconfirmed.json()["error"]).toMatchObject({ code: "confirmation_required" })
  const unknown = await gateway.redeem({ credit_id: "RateLimitResetCredit_unknown" })
  expect(unknown.json()["error"]).toMatchObject({ code: "no_reset_credit" })
  expect(spentOf(gateway)).toEqual({ ids: [], open: 2 })
})

test.concurrent.each([
  { what: "the usage cannot be seen", endpoint: "usage", refuse: "bad-gateway", status: 502, code: "quota_unknown" },
  {
    what: "the list is throttled",
    endpoint: "reset-credits",
    refuse: "connector-limit",
    status: 429,
    code: "connector_rate_limit",
  },
] as const)("nothing is spent while $what", async ({ endpoint, refuse, status, code }) => {
  await using gateway = await startSpent(1)
  gateway.control.script({ endpoint, settings: { refuse } })
  const reply = await gateway.redeem()
  expect(reply.status).toBe(status)
  expect(reply.json()["error"]).toMatchObject({ code })
  expect(spentOf(gateway).open).toBe(1)
})
