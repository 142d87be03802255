/** XxxXTeam/codex-proxy's routes for taking in and recovering accounts. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

let gateway: InProcessGateway

beforeAll(async () => {
  gateway = await startInProcessGateway({ accounts: 4 })
})
afterAll(() => gateway.stop())

const ingest = (body: unknown, path = "/admin/accounts/ingest") => gateway.ask("POST", path, body)
const recover = (body: unknown) => gateway.ask("POST", "/recover-auth", body)
const file = (number: number) => gateway.simulator.control.accountFile(`account-${number}`)

test("one object, an array and one object a line are taken in", async () => {
  expect((await ingest(file(1))).json).toEqual({ added: 1, updated: 0, failed: 0, errors: [], pool_total: 1 })
  const array = await ingest([file(1), file(2), { type: "codex", email: "nobody@example.com" }])
  expect(array.json).toMatchObject({ added: 1, updated: 1, failed: 1, pool_total: 2 })
  expect(array.json.errors[0]).toStartWith("entry 3: needs")
  const lines = `# moved over\n${JSON.stringify({ rk: file(3).refresh_token })}\n${JSON.stringify(file(4))}\n`
  expect((await ingest(lines, "/admin/accounts")).json).toMatchObject({ added: 2, failed: 0, pool_total: 4 })
})

test.each([['[{"access_token": "x'], [""], ["\uFEFF"]])("%j is refused in that system's shape", async body => {
  const answer = await ingest(body)
  expect(answer.status).toBe(400)
  expect(answer.json.error).toMatchObject({ type: "invalid_request_error", message: expect.any(String) })
})

test("one account is recovered by its e-mail, all by their list", async () => {
  const { email } = file(1)
  const one = (await recover({ email })).json
  expect(one).toMatchObject({ object: "auth401_recover_result", result: { email, status: "refreshed" } })
  const all = (await recover({ all: true })).json
  expect([all.object, all.count]).toEqual(["list", 4])
  expect(all.results.every((result: { status: string }) => result.status === "refreshed")).toBe(true)
})

test("what cannot be recovered says how it ended", async () => {
  const { email } = file(2)
  gateway.simulator.control.setSignIn("account-2", { failWith: "account_deactivated" })
  const { result } = (await recover({ email })).json
  expect(result.email).toBe(email)
  expect(["disabled", "cooldown_429_quota_ok"]).toContain(result.status)
  expect(result.detail).toBe("account_deactivated")
})

test("nobody, and an account that does not exist", async () => {
  expect((await recover({})).status).toBe(400)
  expect((await recover("")).status).toBe(400)
  const unknown = await recover({ email: "nobody@example.com" })
  expect([unknown.status, unknown.json.error.type]).toEqual([404, "invalid_request_error"])
})
