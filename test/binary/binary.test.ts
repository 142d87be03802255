/** What the compiled binary does that the sources alone cannot show. */

import { afterEach, beforeAll, beforeEach, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { compiledBinary, freePort, startGateway } from "../support/binary.ts"
import { ROOT } from "../support/source-tree.ts"

let binary = ""
let folder = ""

beforeAll(async () => {
  binary = await compiledBinary()
}, 60_000)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-binary-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** An environment with nothing of the developer's in it. */
const cleanEnv = () => ({ HOME: folder, PATH: "/usr/bin:/bin" })

function run(...args: readonly string[]) {
  const child = Bun.spawnSync([binary, ...args], { cwd: folder, env: cleanEnv(), timeout: 20_000 })
  return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() }
}

test("--version names the version of package.json and a commit", async () => {
  const manifest: { version: string } = await Bun.file(join(ROOT, "package.json")).json()
  const { code, out } = run("--version")
  expect(code).toBe(0)
  expect(out).toMatch(
    new RegExp(`^sluice ${manifest.version.replaceAll(".", "\\.")} \\(([0-9a-f]{7,40}(-dirty)?|unknown)\\)\n$`),
  )
})

test("asking for the version leaves no file behind", () => {
  run("--version")
  expect(readdirSync(folder)).toEqual([])
})

test("a .env, bunfig.toml or tsconfig.json in the working folder changes nothing", () => {
  writeFileSync(join(folder, ".env"), "SLUICE_LISTEN=not-an-address\n")
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./missing.ts"]\n')
  writeFileSync(join(folder, "tsconfig.json"), "{ broken")
  writeFileSync(join(folder, "package.json"), "{ broken")
  const { code, err } = run("config", "check")
  expect({ code, err }).toEqual({ code: 0, err: "" })
})

test("serve answers, health agrees, and SIGTERM ends both with code 0", async () => {
  const address = `127.0.0.1:${freePort()}`
  mkdirSync(join(folder, "auths"))
  const gateway = await startGateway({
    command: [binary, "serve", "--listen", address, "--auth-dir", "auths", "--data-dir", "data"],
    url: `http://${address}`,
    cwd: folder,
    env: cleanEnv(),
  })
  const health = run("health", "--url", gateway.url)
  const code = await gateway.stop()
  expect(health).toMatchObject({ code: 0, err: "" })
  expect(health.out).toStartWith(`alive: http://${address}`)
  expect(code).toBe(0)
}, 30_000)

test("health of a gateway that is gone is exit code 1", () => {
  expect(run("health", "--url", `http://127.0.0.1:${freePort()}`).code).toBe(1)
})

test("the unit that the binary prints starts the binary itself", () => {
  expect(run("systemd").out).toContain(`\nExecStart=${binary} serve\n`)
})
