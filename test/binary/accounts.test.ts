/** `sluice accounts` of the binary beside a gateway that runs, with and without an admin key, and when it has stopped. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { compiledBinary, startGateway } from "../support/binary.ts"
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated-gateway.ts"

type Said = { readonly code: number; readonly stdout: string; readonly stderr: string }

let binary = ""
beforeAll(async () => {
  binary = await compiledBinary()
}, 60_000)

/** Runs the binary in the gateway's folder, where its configuration lies. */
async function accounts(
  gateway: SimulatedGateway,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Said> {
  const child = Bun.spawn([binary, "accounts", ...args], {
    cwd: gateway.folder,
    env: { HOME: gateway.folder, PATH: "/usr/bin:/bin", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, stdout, stderr }
}

/** Writes the file of another account of the simulator, outside of `auth-dir`. */
function newAccount(gateway: SimulatedGateway, name: string): string {
  gateway.control.createAccount({ name })
  mkdirSync(join(gateway.folder, "lists"), { recursive: true })
  writeFileSync(join(gateway.folder, "lists", `${name}.json`), JSON.stringify(gateway.control.accountFile(name)))
  return join("lists", `${name}.json`)
}

async function turn(gateway: SimulatedGateway): Promise<number> {
  const answer = await fetch(`${gateway.url}/v1/responses`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.key}` },
    body: JSON.stringify({ model: "gpt-5.5", input: "Say hello" }),
  })
  await answer.text()
  return answer.status
}

function serveAgain(gateway: SimulatedGateway) {
  return startGateway({
    command: [binary, "serve", "--config", join(gateway.folder, "sluice.yaml")],
    url: gateway.url,
    cwd: gateway.folder,
    env: { HOME: gateway.folder, PATH: "/usr/bin:/bin" },
  })
}

const SECRET = /eyJ|"rt_|refresh_token/

test("a gateway without accounts takes one in, serves with it at once, and has it after a restart", async () => {
  const gateway = await startSimulatedGateway({ accounts: 0 })
  try {
    expect(await turn(gateway)).toBe(503)
    const file = newAccount(gateway, "late")
    const imported = await accounts(gateway, ["import", file])
    expect(imported).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringContaining(`now in the gateway at ${gateway.url};`),
    })
    expect(await turn(gateway)).toBe(200)
    const used = gateway.control.recorded({ path: "/codex/responses" }).at(-1)?.headers["authorization"]
    expect(used).toBe(`Bearer ${gateway.control.accountFile("late").access_token}`)
    expect((await accounts(gateway, ["refresh", "--all"])).stdout).toMatch(/^1\/1 acc_[0-9a-f]{16} \S+: refreshed\n$/)
    const tested = await accounts(gateway, ["test", "--all"])
    expect(tested).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1\/1 acc_\S+ \S+: ok, \d+ ms; 5 h: 0 % used/),
    })
    const shown = await accounts(gateway, ["show", gateway.control.accounts()[0]?.email ?? ""])
    expect(shown.stdout).toMatch(/state +ready\n[\s\S]*where +database\n[\s\S]*requests +1, 0 of them failed\n/)
    expect(imported.stdout + shown.stdout + tested.stdout).not.toMatch(SECRET)
    await gateway.process.stop()
    // Nothing runs: the same orders on the folder itself, and the token that the gateway refreshed.
    const exported = await accounts(gateway, ["export", "--format", "refresh-tokens"])
    expect(exported.stdout).toBe(`${gateway.control.accountFile("late").refresh_token}\n`)
    const again = await serveAgain(gateway)
    try {
      expect(await turn(gateway)).toBe(200)
    } finally {
      expect(await again.stop()).toBe(0)
    }
  } finally {
    await gateway.stop()
  }
}, 60_000)

test("what is ordered while nothing runs counts at the next start", async () => {
  const gateway = await startSimulatedGateway({ accounts: 2 })
  try {
    await gateway.process.stop()
    gateway.control.clearRecorded()
    const [first] = gateway.control.accounts()
    const email = first?.email ?? ""
    expect(await accounts(gateway, ["pause", email])).toMatchObject({ code: 0 })
    const imported = await accounts(gateway, ["import", newAccount(gateway, "third"), "--tag", "offline"])
    expect(imported.stdout).toContain(`now in the data folder ${join(gateway.folder, "data")};`)
    // Nobody has been asked for anything.
    expect(gateway.control.recorded()).toEqual([])
    const again = await serveAgain(gateway)
    try {
      const list = JSON.parse((await accounts(gateway, ["list", "--json"])).stdout)
      expect(list.where).toBe(`the gateway at ${gateway.url}`)
      expect(list.accounts.map((one: { state: string }) => one.state).sort()).toEqual(["paused", "ready", "ready"])
      expect((await accounts(gateway, ["list", "--tag", "offline"])).stdout).toMatch(/ready[\s\S]*database +offline\n/)
    } finally {
      await again.stop()
    }
  } finally {
    await gateway.stop()
  }
}, 60_000)

test("a refresh without a gateway keeps the new token, in the file the account lives in", async () => {
  const gateway = await startSimulatedGateway({ accounts: 1 })
  try {
    await gateway.process.stop()
    const [name = ""] = gateway.control.accounts().map(account => account.name)
    const before = gateway.control.accountFile(name).refresh_token
    expect(await accounts(gateway, ["refresh", "--all"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("refreshed"),
    })
    const now = gateway.control.accountFile(name).refresh_token
    expect(now).not.toBe(before)
    expect(JSON.parse(readFileSync(join(gateway.folder, "auths", `${name}.json`), "utf8")).refresh_token).toBe(now)
    expect((await accounts(gateway, ["export", "--format", "refresh-tokens"])).stdout).toBe(`${now}\n`)
  } finally {
    await gateway.stop()
  }
}, 60_000)

test("an account that cannot be refreshed is exit code 1 and is told with its reason", async () => {
  const gateway = await startSimulatedGateway({ accounts: 2 })
  try {
    gateway.control.markRefresh("account-1", "invalidated")
    const { code, stdout, stderr } = await accounts(gateway, ["refresh", "--all"])
    expect([code, stdout.match(/: refreshed$/gm)?.length, stdout.match(/: failed \(\S+\)$/gm)?.length]).toEqual([
      1, 1, 1,
    ])
    expect(stderr).toBe("1 of 2 failed; `sluice accounts show ACCOUNT` says more\n")
  } finally {
    await gateway.stop()
  }
}, 60_000)

describe("with an admin key", () => {
  let gateway: SimulatedGateway
  beforeAll(async () => {
    gateway = await startSimulatedGateway({ accounts: 2, settings: { "admin-key": "the-key" } })
  }, 60_000)
  afterAll(() => gateway.stop())

  test("the configuration's key opens, from the environment or a flag too", async () => {
    expect((await accounts(gateway, ["list"])).code).toBe(0)
    const elsewhere = ["list", "--gateway", gateway.url]
    const bare = { SLUICE_ADMIN_KEY: "" }
    expect((await accounts(gateway, [...elsewhere, "--admin-key", "the-key"], bare)).code).toBe(0)
    expect((await accounts(gateway, elsewhere, { ADMIN_SECRET: "the-key" })).code).toBe(0)
  })

  test.each([
    ["a wrong key", "wrong", "The admin key is wrong."],
    ["no key", "", "No admin key was sent."],
  ])("%s is refused, and it is said where the right one goes", async (_, key, said) => {
    const { code, stdout, stderr } = await accounts(gateway, ["list", "--admin-key", key])
    expect([code, stdout]).toEqual([1, ""])
    expect(stderr).toContain(said)
    expect(stderr).toContain("Give this command the `admin-key` the gateway has")
  })

  test("an export goes into a file of its owner alone, and a removed account is gone for good", async () => {
    mkdirSync(join(gateway.folder, "lists"), { recursive: true })
    const out = join(gateway.folder, "lists", "out.json")
    const [first] = gateway.control.accounts()
    const email = first?.email ?? ""
    expect((await accounts(gateway, ["export", email, "--out", out])).code).toBe(0)
    expect(statSync(out).mode & 0o777).toBe(0o600)
    expect((await accounts(gateway, ["remove", email])).code).toBe(2)
    expect((await accounts(gateway, ["remove", email, "--yes"])).stdout).toContain("file deleted")
    expect(JSON.parse((await accounts(gateway, ["list", "--json"])).stdout).total).toBe(1)
    expect((await accounts(gateway, ["import", out])).code).toBe(0)
    expect(JSON.parse((await accounts(gateway, ["list", "--json"])).stdout).total).toBe(2)
  })
})
