/** An account's cookies over HTTP: put in, shown masked, sent upstream, taken from answers, gone with the account. */

import { afterAll, beforeAll, expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

import { keysCommand } from "#cli/keys.ts"

import { recordIo } from "../../../support/command-io.ts"
import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

const SECRET = "value-that-nobody-may-see-0123456789"

let gateway: InProcessGateway
let usage: Bun.Server<undefined>
let seen: (string | null)[] = []
let answerCookies: string[] = []

beforeAll(async () => {
  usage = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: request => {
      seen.push(request.headers.get("cookie"))
      const answer = Response.json({ plan_type: "plus" })
      for (const line of answerCookies) answer.headers.append("set-cookie", line)
      return answer
    },
  })
  gateway = await startInProcessGateway({ files: 2, config: { usageUrl: `http://127.0.0.1:${usage.port}/usage` } })
})
afterAll(async () => {
  await gateway.stop()
  await usage.stop(true)
})

const ids = async (): Promise<string[]> =>
  (await gateway.ask("GET", "/api/admin/accounts")).json.accounts.map((account: { id: string }) => account.id)
const cookiesAt = (id: string) => `/api/admin/accounts/${id}/cookies`

async function checkOf(id: string): Promise<string | null | undefined> {
  seen = []
  await gateway.ask("POST", `/api/admin/accounts/${id}/test`)
  return seen[0]
}

test("cookies of a header's form are for the upstream's host, shown masked and sent along", async () => {
  const [id = "", other = ""] = await ids()
  const put = await gateway.ask("POST", cookiesAt(id), { cookies: `cf=${SECRET}; b=2` })
  expect(put.status).toBe(200)
  expect(put.json.cookies).toEqual([
    { name: "cf", value: "val***", domain: "127.0.0.1", host_only: true, path: "/", secure: false, expires_at: null },
    { name: "b", value: "***", domain: "127.0.0.1", host_only: true, path: "/", secure: false, expires_at: null },
  ])
  expect((await gateway.ask("GET", cookiesAt(id))).text).not.toContain(SECRET)
  const full = await gateway.ask("GET", `${cookiesAt(id)}?values=true`)
  expect([full.json.cookies[0].value, full.headers.get("cache-control")]).toEqual([SECRET, "no-store"])
  expect(await checkOf(id)).toBe(`cf=${SECRET}; b=2`)
  expect(await checkOf(other)).toBeNull()
})

test("model requests carry them too", async () => {
  const [other = "", id = ""] = await ids()
  await gateway.ask("POST", cookiesAt(id), { cookies: { turn: "1" } })
  await gateway.ask("POST", `/api/admin/accounts/${other}/pause`)
  gateway.simulator.control.clearRecorded()
  const headers = { authorization: `Bearer ${gateway.clientKey}` }
  const body = { model: "gpt-5.5", input: "hello" }
  expect((await gateway.ask("POST", "/v1/responses", body, headers)).status).toBe(200)
  const turns = gateway.simulator.control.recorded({ path: "/backend-api/codex/responses" })
  expect(turns.map(turn => turn.headers["cookie"])).toEqual(["turn=1"])
  await gateway.ask("POST", `/api/admin/accounts/${other}/enable`)
})

test("what the upstream sets is taken over, kept over a restart, and only where there is a jar", async () => {
  const [id = "", other = ""] = await ids()
  await gateway.ask("DELETE", cookiesAt(other))
  answerCookies = ["fresh=one; Path=/", "elsewhere=1; Domain=example.com"]
  await checkOf(id)
  await checkOf(other)
  answerCookies = []
  expect(await checkOf(id)).toContain("fresh=one")
  expect(await checkOf(id)).not.toContain("elsewhere")
  expect(await checkOf(other)).toBeNull()
  await gateway.restart()
  expect(await checkOf(id)).toContain("fresh=one")
})

test("a browser's export and Set-Cookie lines are read as well", async () => {
  const [id = ""] = await ids()
  await gateway.ask("DELETE", cookiesAt(id))
  const cookies = [
    { name: "x", value: "1", domain: ".chatgpt.com", path: "/", secure: true, hostOnly: false, expirationDate: 4e9 },
    "y=2; Path=/usage; Max-Age=600",
  ]
  const { json } = await gateway.ask("POST", cookiesAt(id), { cookies })
  expect(json.cookies).toMatchObject([
    { name: "x", domain: "chatgpt.com", host_only: false, secure: true, expires_at: "2096-10-02T07:06:40.000Z" },
    { name: "y", domain: "127.0.0.1", path: "/usage" },
  ])
  expect(await checkOf(id)).toBe("y=2")
  expect((await gateway.ask("DELETE", `${cookiesAt(id)}?name=x`)).json.cookies.length).toBe(1)
})

test.each([
  [{}],
  [{ cookies: 5 }],
  [{ cookies: { a: 5 } }],
  [{ cookies: [{ name: "a" }] }],
  [{ cookies: [{ name: "a", value: "b\r\nx: y" }] }],
  [{ cookies: [{ name: "a", value: "b", path: "x" }] }],
  [{ cookies: [{ name: "a", value: "b", expires: "soon" }] }],
  [{ cookies: ["a=1; Domain=example.com"] }],
  [{ cookies: "novalue" }],
])("%j is refused with what to send, and changes nothing", async body => {
  const [id = ""] = await ids()
  const before = (await gateway.ask("GET", cookiesAt(id))).text
  const answer = await gateway.ask("POST", cookiesAt(id), body)
  expect([answer.status, answer.json.error.kind]).toEqual([400, "invalid-request"])
  expect((await gateway.ask("GET", cookiesAt(id))).text).toBe(before)
})

test("an account that does not exist has none", async () => {
  for (const method of ["GET", "POST", "DELETE"]) {
    const body = method === "POST" ? { cookies: "a=1" } : undefined
    expect((await gateway.ask(method, cookiesAt("acc_0000000000000000"), body)).status).toBe(404)
  }
})

test("values are in no log and in no file, and the jar survives a change of the master key", async () => {
  const [id = ""] = await ids()
  await gateway.ask("POST", cookiesAt(id), { cookies: `kept=${SECRET}` })
  await checkOf(id)
  expect(gateway.log()).not.toContain(SECRET)
  const dataDir = join(gateway.folder, "data")
  const leaks = () => readdirSync(dataDir).filter(name => readFileSync(join(dataDir, name)).includes(SECRET))
  expect(leaks()).toEqual([])
  const rotated: number[] = []
  await gateway.restart(async () => {
    const { io } = recordIo({ cwd: gateway.folder })
    rotated.push(await keysCommand.run(["rotate-master", "--data-dir", dataDir], io))
  })
  expect(rotated).toEqual([0])
  expect(leaks()).toEqual([])
  expect((await gateway.ask("GET", `${cookiesAt(id)}?values=true`)).text).toContain(SECRET)
})

test("deleting the account deletes its cookies", async () => {
  const [id = ""] = await ids()
  expect((await gateway.ask("DELETE", `/api/admin/accounts/${id}?confirm=true`)).status).toBe(200)
  expect((await gateway.ask("GET", cookiesAt(id))).status).toBe(404)
  // The same account again, from its own file: it comes without them.
  const file = gateway.simulator.control.accountFile("account-1")
  await gateway.ask("POST", "/api/admin/accounts/import", file)
  expect((await gateway.ask("GET", cookiesAt(id))).json).toEqual({ cookies: [] })
})
