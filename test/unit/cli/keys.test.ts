/** `sluice keys`, and a whole gateway whose data directory gives no token away. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { startDemo } from "#cli/demo-gateway.ts"
import { keysCommand } from "#cli/keys.ts"
import { makeLog } from "#telemetry/log.ts"

import { recordIo } from "../../support/command-io.ts"

let folder: string
let dataDir: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keys-test-"))
  dataDir = join(folder, "data")
  mkdirSync(dataDir)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const world = recordIo({ cwd: folder, env })
  try {
    const code = await keysCommand.run([...args, "--data-dir", dataDir], world.io)
    return { code, out: world.stdout(), err: world.stderr() }
  } catch (cause) {
    return { code: "thrown", out: world.stdout(), err: cause instanceof Error ? cause.message : String(cause) }
  }
}

const startGateway = async () => startDemo({ folder, port: 0, log: await makeLog({ level: "error", format: "json" }) })

test("after refreshes no token of any account lies in clear in the data directory", async () => {
  const gateway = await startGateway()
  const tokens = () =>
    readdirSync(join(folder, "auths")).flatMap(name => {
      const file = JSON.parse(readFileSync(join(folder, "auths", name), "utf8"))
      return [String(file.access_token), String(file.refresh_token)]
    })
  const before = tokens()
  const answer = await fetch(`${gateway.origin}/refresh`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.key}` },
  })
  expect(await answer.text()).toContain('"refreshed"')
  const secrets = [...before, ...tokens()]
  expect(new Set(secrets).size).toBe(gateway.accounts * 4)
  const leaks = () =>
    readdirSync(dataDir).filter(name => {
      const bytes = readFileSync(join(dataDir, name))
      return secrets.some(secret => bytes.includes(secret))
    })
  expect(leaks()).toEqual([])
  await gateway.stop()
  expect(leaks()).toEqual([])
  expect(await run(["rotate-master"])).toMatchObject({ code: 0 })
  expect(leaks()).toEqual([])
})

test("show tells source and ids, never the key, and makes none", async () => {
  expect(await run(["show"])).toEqual({
    code: 0,
    out: `source:    file (${dataDir}/master.key)\nkey id:    none yet; the first start makes one\ndatabase:  names none yet\n`,
    err: "",
  })
  expect(existsSync(join(dataDir, "master.key"))).toBe(false)
  await (await startGateway()).stop()
  const shown = await run(["show", "--json"])
  const written = readFileSync(join(dataDir, "master.key"), "utf8").trim()
  expect(JSON.parse(shown.out)).toMatchObject({
    source: "file",
    opens: true,
    keyId: expect.stringMatching(/^[0-9a-f]{8}$/),
  })
  expect(shown.out).not.toContain(written)
})

test("show ends with 1 when the key does not open the database", async () => {
  await (await startGateway()).stop()
  const shown = await run(["show"], { SLUICE_MASTER_KEY: "ab".repeat(32) })
  expect(shown).toMatchObject({ code: 1, err: "sluice keys: this key does not open the database\n" })
  expect(shown.out).toContain("source:    env (SLUICE_MASTER_KEY)")
  expect(shown.out).not.toContain("abab")
})

test("rotate-master is refused while a gateway runs, which it names", async () => {
  const gateway = await startGateway()
  expect(await run(["rotate-master"])).toEqual({
    code: "thrown",
    out: "",
    err: `${dataDir} is in use by process ${process.pid}.`,
  })
  await gateway.stop()
})

test("after rotate-master the gateway serves the same accounts, and the old key goes with its first start", async () => {
  await (await startGateway()).stop()
  const rotated = JSON.parse((await run(["rotate-master", "--json"])).out)
  expect(rotated.fromId).not.toBe(rotated.toId)
  expect(existsSync(join(dataDir, "master.key.old"))).toBe(true)
  await (await startGateway()).stop()
  expect(existsSync(join(dataDir, "master.key.old"))).toBe(false)
  expect(JSON.parse((await run(["show", "--json"])).out)).toMatchObject({ keyId: rotated.toId, opens: true })
})

test("a key that is none stops every verb and is not repeated", async () => {
  const shown = await run(["show"], { SLUICE_MASTER_KEY: "hunter2" })
  expect(shown.code).toBe("thrown")
  expect(shown.err).toContain("SLUICE_MASTER_KEY is not a master key")
  expect(shown.err).not.toContain("hunter2")
})

test.each([
  [[], "expected list, show, usage, create, set, enable, disable, reset, rotate, remove, rotate-master"],
  [["spin"], 'there is no "spin"'],
  [["shwo"], 'did you mean "show"?'],
])("the arguments %p are wrong usage", async (args, message) => {
  const result = await run(args)
  expect(result.code).toBe(2)
  expect(result.err).toContain(message)
})
