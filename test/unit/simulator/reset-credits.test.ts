/** The simulator's banked resets are as strict as they have to be: each is spent once, and odd orders are refused. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { type Simulator, startSimulator } from "#simulator/simulator.ts"

let simulator: Simulator
beforeAll(() => {
  simulator = startSimulator({ accounts: 3 })
})
afterAll(() => simulator.stop())

const UUID = "11111111-2222-4333-8444-555555555555"
const OTHER = "22222222-2222-4333-8444-555555555555"

async function ask(name: string, body?: object) {
  const { control } = simulator
  const { access_token } = control.accountFile(name)
  const account = control.accounts().find(one => one.name === name)
  const answer = await fetch(`${simulator.url}/backend-api/wham/rate-limit-reset-credits${body ? "/consume" : ""}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${access_token}`,
      "chatgpt-account-id": account?.workspaceId ?? "",
      "content-type": "application/json",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: JSON.parse(await answer.text()) }
}

test("a credit is spent once a request id, empties the windows, and is listed as redeemed", async () => {
  simulator.control.grantResets("account-1", 2)
  simulator.control.setQuota("account-1", { primary: { usedPercent: 100 }, secondary: { usedPercent: 40 } })
  expect((await ask("account-1")).body).toMatchObject({ available_count: 2 })
  expect((await ask("account-1", { redeem_request_id: UUID })).body).toEqual({ code: "reset", windows_reset: 2 })
  expect((await ask("account-1", { redeem_request_id: UUID })).body).toMatchObject({ code: "already_redeemed" })
  expect(simulator.control.quota("account-1").windows.codex.primary.usedPercent).toBe(0)
  const { credits } = (await ask("account-1")).body
  expect(credits.map((one: { status: string }) => one.status)).toEqual(["redeemed", "available"])
  const [{ id }] = credits
  expect((await ask("account-1", { redeem_request_id: OTHER, credit_id: id })).body.code).toBe("already_redeemed")
})

test("open windows and empty banks spend nothing", async () => {
  expect((await ask("account-2", { redeem_request_id: UUID })).body.code).toBe("no_credit")
  simulator.control.grantResets("account-2", 1)
  expect((await ask("account-2", { redeem_request_id: UUID })).body.code).toBe("nothing_to_reset")
  expect((await ask("account-2")).body.available_count).toBe(1)
})

test.each([
  {},
  { redeem_request_id: "one" },
  { redeem_request_id: UUID, credit: "x" },
  { redeem_request_id: UUID, credit_id: 5 },
])("an order like %j is refused", async body => {
  expect((await ask("account-3", body)).status).toBe(422)
})
