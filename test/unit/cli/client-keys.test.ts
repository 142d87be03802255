/** `sluice keys` for client keys: on a folder without a gateway, and on one that runs. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { keysCommand } from "#cli/keys.ts"

import { recordIo } from "../../support/command-io.ts"
import { type InProcessGateway, startInProcessGateway } from "../../support/in-process-gateway.ts"

let gateway: InProcessGateway

beforeAll(async () => {
  gateway = await startInProcessGateway({ accounts: 1, files: 1 })
})
afterAll(() => gateway.stop())

async function run(...args: readonly string[]) {
  const world = recordIo({ cwd: gateway.folder })
  const flags = ["--data-dir", `${gateway.folder}/data`, "--auth-dir", `${gateway.folder}/auths`]
  try {
    const code = await keysCommand.run([...args, ...flags], world.io)
    return { code, out: world.stdout(), err: world.stderr() }
  } catch (cause) {
    return { code: "thrown", out: world.stdout(), err: cause instanceof Error ? cause.message : String(cause) }
  }
}

const chat = (key: string) =>
  gateway.ask(
    "POST",
    "/v1/chat/completions",
    { model: "gpt-5.5", messages: [{ role: "user", content: "hello" }] },
    { authorization: `Bearer ${key}` },
  )

test("a key that is made prints itself alone, works at once, and shows its limits and usage", async () => {
  const made = await run(
    "create",
    "laptop",
    "--owner",
    "team a",
    "--limit",
    "rpm=60,5h.cost_usd=2.5",
    "--limit",
    "rpd=9",
  )
  expect(made.code).toBe(0)
  expect(made.out).toMatch(/^sk-[\w-]{32}\n$/)
  expect(made.err).toContain("not shown again")
  const key = made.out.trim()
  expect((await chat(key)).status).toBe(403)
  expect((await run("set", "laptop", "--limit", "5h.cost_usd=,tpm=100000", "--deny-models", "o3*")).code).toBe(0)
  expect((await chat(key)).status).toBe(200)
  const { out } = await run("show", "laptop")
  expect(out).toMatch(/owner: +team a/)
  expect(out).toContain("any but o3*")
  expect(out).toMatch(/rpm: +1 of 60/)
  expect(out).toMatch(/rpd: +1 of 9/)
  expect(out).not.toContain("5h.cost_usd")
  expect(out).not.toContain(key)
  expect((await run("list")).out).toMatch(/key_[0-9a-f]{16} +\S{8} +laptop +team a +active +never/)
  expect((await run("usage", "laptop")).out).toContain("1 of 60")
})

test("enable, disable, rotate, reset and remove do what they say", async () => {
  const key = (await run("create", "shared")).out.trim()
  expect((await chat(key)).status).toBe(200)
  expect((await run("disable", "shared")).out).toContain("disabled now")
  expect((await chat(key)).status).toBe(403)
  expect((await run("enable", "shared")).out).toContain("active now")
  const next = (await run("rotate", "shared")).out.trim()
  expect([(await chat(key)).status, (await chat(next)).status]).toEqual([401, 200])
  expect(JSON.parse((await run("reset", "shared", "--json")).out).keys[0].usage.total.requests).toBe(0)
  const kept = await run("remove", "shared")
  expect(kept).toMatchObject({ code: 2, err: expect.stringContaining("nothing was deleted: add --yes") })
  expect((await run("remove", "shared", "--yes")).code).toBe(0)
  expect((await chat(next)).status).toBe(401)
  expect((await run("show", "shared")).err).toContain("no client key of that name")
})

test("without a gateway the command works on the folder, and the gateway finds the key afterwards", async () => {
  let key = ""
  await gateway.restart(async () => {
    key = (await run("create", "offline", "--expires", "30d")).out.trim()
    expect((await run("list")).out).toContain("offline")
  })
  expect((await chat(key)).status).toBe(200)
})

test("keys are good under another master key as well", async () => {
  const key = (await run("create", "sealed")).out.trim()
  await gateway.restart(async () => {
    expect((await run("rotate-master")).code).toBe(0)
  })
  expect((await chat(key)).status).toBe(200)
})

test.each([
  [["create"], "create needs one name"],
  [["set", "laptop"], "set needs something to change"],
  [["enable"], "enable needs a key"],
  [["lst"], 'did you mean "list"?'],
  [["create", "x", "--limit", "rmp=3"], '--limit: cannot read "rmp=3"'],
  [["create", "x", "--limit", "5h=3"], '--limit: cannot read "5h=3"'],
  [["create", "x", "--limit", "rpm=0"], "limits.rpm"],
  [["create", "x", "--expires", "soon"], "--expires: expected a date or a span"],
  [["create", "x", "--addresses", "10.0.0.0/40"], "neither an address nor a range"],
  [["create", "x", "--key", "short"], "at least 16 printable"],
] as const)("%p is refused with what to do", async (args, said) => {
  const { code, err } = await run(...args)
  expect(code).not.toBe(0)
  expect(err).toContain(said)
})

test("show without a name still tells about the master key", async () => {
  expect((await run("show")).out).toContain("source:    file")
})
