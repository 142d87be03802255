/** `sluice proxies` on a data folder without a gateway, and beside one that runs. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"

import type { CommandIo } from "#cli/command.ts"
import { runCommandLine } from "#cli/command-line.ts"

import { recordIo } from "../../../support/command-io.ts"
import { startForwardProxy } from "../../../support/forward-proxy.ts"
import { entry, inputOf, makeHome } from "../accounts/accounts-world.ts"

let home: ReturnType<typeof makeHome>

beforeEach(() => {
  home = makeHome()
})
afterEach(() => home.remove())

async function run(args: readonly string[], io: Partial<CommandIo> = {}) {
  const recorded = recordIo({ env: home.env, cwd: home.cwd, ...io })
  const exitCode = await runCommandLine(["proxies", ...args], recorded.io)
  return { exitCode, stdout: recorded.stdout(), stderr: recorded.stderr() }
}
const json = async (...args: readonly string[]) => JSON.parse((await run([...args, "--json"])).stdout)

test("a proxy is added from a pipe, listed without its password, disabled, and removed with --yes only", async () => {
  const added = await run(["add", "-", "--name", "one", "--region", "eu"], inputOf("10.0.0.1:8080:ann:p@ss\n"))
  expect(added).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^px_\w+ one: added, http:\/\/ann:\*\*\*@10/),
  })
  const listed = await run(["list"])
  expect(listed.stdout).toMatch(
    /^ID .*\npx_\w+ +one +http:\/\/ann:\*\*\*@10\.0\.0\.1:8080 +eu +unknown +- +- +0\nconfigured: direct \(proxy-url\)\n$/,
  )
  expect((await run(["disable", "one"])).stdout).toMatch(/^px_\w+ one: disabled\n$/)
  const refused = await run(["remove", "one"])
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("add --yes")])
  expect((await run(["remove", "one", "--yes"])).stdout).toBe("1 removed\n")
  expect((await run(["list"])).stdout).toContain("sluice proxies add ADDRESS")
})

test("accounts are assigned after a look, by rule; the account's page says by which way it goes out", async () => {
  home.put("list.json", [entry("ann"), entry("bob")])
  await home.run(["import", "list.json"])
  await home.run(["set", "ann@example.com", "--tag", "team"])
  await run(["add", "http://10.0.0.1:8080", "--name", "one"])
  const look = await run(["assign", "--all", "--to", "one", "--tag", "team", "--dry-run"])
  expect(look.stdout).toMatch(/^acc_\w+ an\*\*\*@example\.com: inherit -> one\n1 would change, 0 as before\n$/)
  expect((await json("assignments")).assignments.map((one: { mode: string }) => one.mode)).toEqual([
    "inherit",
    "inherit",
  ])
  expect((await run(["assign", "ann@example.com", "--to", "one"])).stdout).toContain("1 changed, 0 as before")
  expect((await home.run(["show", "ann@example.com"])).stdout).toMatch(/way out +one\n/)
  const removed = await run(["remove", "one", "--yes"])
  expect(removed.stderr).toContain("1 accounts wait now")
  expect((await home.run(["show", "ann@example.com"])).stdout).toMatch(/state +no-proxy \(proxy-missing\)/)
})

test("a list comes in after a look and goes out masked, or whole into a file of its owner alone", async () => {
  home.put("list.txt", "10.0.0.1:8080:ann:p@ss:w#rd\nnonsense\n")
  const look = await run(["import", "list.txt", "--dry-run"])
  expect(look).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("would be 1 added") })
  expect(look.stderr).toContain("line 2: refused")
  expect((await json("list")).proxies).toEqual([])
  await run(["import", "-"], inputOf("10.0.0.1:8080:ann:p@ss:w#rd\n"))
  expect((await run(["export"])).stdout).toContain("http://ann:***@10.0.0.1:8080")
  const written = await run(["export", "--format", "lines", "--passwords", "--out", "out.txt"])
  expect(written).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("1 proxies written") })
  const out = join(home.cwd, "out.txt")
  expect([readFileSync(out, "utf8"), statSync(out).mode & 0o777]).toEqual(["10.0.0.1:8080:ann:p@ss:w#rd\n", 0o600])
  expect((await run(["export", "--out", "out.txt"])).stderr).toContain("EEXIST")
  expect((await run(["list"])).stdout).toMatch(/last exported with passwords: 20\d\d-/)
})

test("a check tries each proxy and fails with the first that does not work", async () => {
  const proxy = await startForwardProxy()
  const upstream = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("ok") })
  try {
    await run(["add", `http://${proxy.host}`, "--name", "alive"])
    const base = ["--base-url", `${upstream.url.href}backend-api/codex`]
    const works = await run(["check", ...base])
    expect(works).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^works {2}alive \(http:\S+\): \d+ ms\n$/),
    })
    expect(proxy.seen).toEqual(["GET /favicon.ico"])
    await run(["add", "http://127.0.0.1:1", "--name", "dead"])
    const fails = await run(["check", "dead", ...base])
    expect(fails).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^fails {2}dead /) })
  } finally {
    await upstream.stop(true)
    await proxy.stop()
  }
})

test.each([
  [[], "expected list, add"],
  [["lst"], 'did you mean "list"?'],
  [["add"], "add takes one address"],
  [["assign", "--all"], "assign needs --to WAY"],
  [["assign", "--to", "direct"], "takes accounts by name, or --all"],
  [["assign", "ann", "--all", "--to", "direct"], "takes accounts by name, or --all"],
  [["enable"], "enable needs a proxy"],
  [["import"], "import takes one file"],
  [["export", "--format", "xml"], "expected yaml or lines"],
])("%j is wrong usage and says what is right", async (args, message) => {
  expect(await run(args)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) })
})

test("an unknown proxy is named, with what to do", async () => {
  const answer = await run(["enable", "nobody"])
  expect(answer).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("sluice proxies list") })
})
