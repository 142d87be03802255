/** Finished requests and usage over the operators' surface. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { runCommandLine } from "#cli/command-line.ts"

import { recordIo } from "../../../support/command-io.ts"
import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

let gateway: InProcessGateway
const SECRET_PROMPT = "marigold-lantern"

beforeAll(async () => {
  gateway = await startInProcessGateway({ accounts: 2, files: 2 })
})
afterAll(() => gateway.stop())

const chat = (text: string) =>
  gateway.ask(
    "POST",
    "/v1/chat/completions",
    { model: "gpt-5.5", messages: [{ role: "user", content: `${SECRET_PROMPT} ${text}` }] },
    { authorization: `Bearer ${gateway.clientKey}` },
  )

const get = async (path: string) => (await gateway.ask("GET", `/api/admin/${path}`)).json

test("a request that was served is found by the id its client has, with its tokens and without its prompt", async () => {
  const answer = await chat("one")
  const id = answer.headers.get("x-request-id") ?? ""
  const shown = await gateway.ask("GET", `/api/admin/requests/${id}`)
  expect(shown.json).toMatchObject({
    id,
    protocol: "openai-chat",
    model: "gpt-5.5",
    upstream_model: "gpt-5.5",
    status: 200,
    error: null,
    attempts: 1,
    input_tokens: answer.json.usage.prompt_tokens,
    output_tokens: answer.json.usage.completion_tokens,
    failed_attempts: [],
    decisions: [],
  })
  expect(shown.json.account_label).toContain("***")
  expect(shown.text).not.toContain(SECRET_PROMPT)
})

test("a request that moved on keeps the attempt that failed and why the next account was chosen", async () => {
  const answer = await chat("[[simulate: server-error times=1]] two")
  expect(answer.status).toBe(200)
  const shown = await get(`requests/${answer.headers.get("x-request-id")}`)
  expect(shown.attempts).toBeGreaterThan(1)
  expect(shown.failed_attempts[0]).toMatchObject({ n: 1, error_kind: expect.any(String), upstream_status: 500 })
  const why = shown.decisions.at(-1)
  expect(why).toMatchObject({ decision: "lease", account: shown.account })
  expect(why.counts.candidates + Object.keys(why.counts.exclusions).length).toBeGreaterThan(0)
})

test("a refused request says why nobody could serve it", async () => {
  const { accounts } = await get("accounts")
  const ids = accounts.map((one: { id: string }) => one.id)
  await gateway.ask("POST", "/api/admin/accounts/batch", { action: "pause", ids })
  const refused = await chat("three")
  await gateway.ask("POST", "/api/admin/accounts/batch", { action: "enable", ids })
  expect(refused.status).toBe(503)
  const shown = await get(`requests/${refused.headers.get("x-request-id")}`)
  expect(shown).toMatchObject({ account: null, error: { kind: "no-account" }, attempts: 0 })
  expect(shown.decisions).toMatchObject([{ decision: "refusal", counts: { exclusions: { paused: 2 } } }])
})

test("the list is paged, newest first, and filtered", async () => {
  const all = await get("requests?limit=2")
  expect(all.requests.map((one: { status: number }) => one.status)).toEqual([503, 200])
  const next = await get(`requests?limit=2&before=${all.next}`)
  expect(next.requests).toHaveLength(1)
  expect(next.next).toBeNull()
  const failed = await get("requests?failed=true")
  expect(failed.requests).toMatchObject([{ status: 503 }])
  const { account } = next.requests[0]
  const ofAccount = await get(`requests?account=${account}&since=1h`)
  expect(ofAccount.requests.every((one: { account: string }) => one.account === account)).toBe(true)
  expect((await gateway.ask("GET", "/api/admin/requests?limit=x")).status).toBe(400)
  expect((await gateway.ask("GET", "/api/admin/requests?since=yesterday")).json.error.code).toBe("invalid_query")
  expect((await gateway.ask("GET", "/api/admin/requests/req_unknown")).json.error.code).toBe("request_not_found")
})

test.each(["key", "account", "model"])("usage by %s adds up to what the requests say, by hour and by day", async by => {
  const { requests } = await get("requests")
  const served = requests.reduce((sum: number, one: { output_tokens: number }) => sum + one.output_tokens, 0)
  for (const grain of ["hour", "day"]) {
    const { usage } = await get(`usage?by=${by}&grain=${grain}`)
    const sums = (name: string) => usage.reduce((sum: number, one: Record<string, number>) => sum + (one[name] ?? 0), 0)
    expect([sums("requests"), sums("errors"), sums("output_tokens")]).toEqual([requests.length, 1, served])
  }
})

async function command(...args: readonly string[]) {
  const recorded = recordIo({ env: {}, cwd: gateway.folder })
  const exitCode = await runCommandLine([...args, "--gateway", gateway.url], recorded.io)
  return { exitCode, stdout: recorded.stdout(), stderr: recorded.stderr() }
}

test("the command lists, shows and adds up the same, as text and as JSON", async () => {
  const page = await get("requests")
  expect(JSON.parse((await command("requests", "list", "--json")).stdout)).toEqual(page)
  const [refused, moved] = page.requests
  const list = await command("requests", "list", "--limit", "1")
  expect(list.stdout).toContain(`${refused.id}  503 no_account`)
  expect(list.stderr).toContain("there are more: --before ")
  const shown = await command("requests", "show", moved.id)
  expect(shown).toMatchObject({ exitCode: 0, stderr: "" })
  for (const text of ["failed attempts", "upstream", "why: lease acc_", "candidates", "healthy"]) {
    expect(shown.stdout).toContain(text)
  }
  expect((await command("requests", "show", refused.id)).stdout).toContain("left out: 2 paused")
  expect((await command("usage", "--by", "model", "--since", "7d")).stdout).toMatch(/total +3 +1 /)
  expect(JSON.parse((await command("usage", "--json")).stdout)).toMatchObject({ by: "key", grain: "day" })
  expect(await command("usage", "--by", "colour")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("`by`: expected one of key, account, model."),
  })
  expect((await command("requests", "lst")).stderr).toContain('did you mean "list"?')
})

test("a restart keeps the log", async () => {
  const before = await get("requests")
  await gateway.restart()
  expect(await get("requests")).toEqual(before)
})
