/** `./dev` on machines that lack something: what it says, and which Bun it takes. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { ROOT } from "../support/source-tree.ts"

/** What every Unix has; no Bun, no Node. */
const SYSTEM_PROGRAMS = ["sh", "sed", "cat", "dirname", "uname", "mktemp", "mkdir", "rm", "mv", "cksum", "grep", "env"]

let folder = ""
let programs = ""

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-dev-"))
  programs = join(folder, "bin")
  mkdirSync(programs)
  for (const name of SYSTEM_PROGRAMS) symlinkSync(Bun.which(name) ?? `/bin/${name}`, join(programs, name))
  mkdirSync(join(folder, "checkout", "src"), { recursive: true })
  for (const name of ["dev", "package.json", "bun.lock"]) cpSync(join(ROOT, name), join(folder, "checkout", name))
  writeFileSync(join(folder, "checkout/src/main.ts"), "console.log(JSON.stringify(process.argv.slice(2)))\n")
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function dev(...args: readonly string[]) {
  const env = { HOME: folder, PATH: programs }
  const child = Bun.spawnSync([join(folder, "checkout/dev"), ...args], { cwd: folder, env, timeout: 20_000 })
  return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() }
}

/** Puts a program on PATH that prints `output` and writes its arguments to `<name>.called`. */
function fake(name: string, output: string): void {
  const path = join(programs, name)
  writeFileSync(path, `#!/bin/sh\necho "$@" >>"${path}.called"\necho "${output}"\n`)
  chmodSync(path, 0o755)
}

test("help needs nothing", () => {
  const { code, out } = dev()
  expect(code).toBe(0)
  expect(out).toContain("./dev <task>")
})

test("without Bun and npm it says what to install", () => {
  const { code, err } = dev("demo")
  expect(code).toBe(1)
  expect(err).toContain(`needs Bun ${Bun.version}. Install Node.js with npm`)
})

test("another version of Bun on PATH is not used", () => {
  fake("bun", "1.3.0")
  const { code, err } = dev("demo")
  expect(code).toBe(1)
  expect(err).toContain(`needs Bun ${Bun.version}`)
})

test("an npm that fetches nothing leaves no half-installed Bun behind", () => {
  fake("npm", "")
  const first = dev("demo")
  expect(first.code).toBe(1)
  expect(first.err).toContain("does not start on this machine")
  expect([...new Bun.Glob("**/*").scanSync({ cwd: join(folder, ".cache/sluice"), onlyFiles: false })]).toEqual([])
})

test("packages are installed once for one lock file, and again when it changes", async () => {
  fake("bun", Bun.version)
  mkdirSync(join(folder, "checkout/node_modules"))
  const installs = async () => {
    const calls = await Bun.file(join(programs, "bun.called")).text()
    return calls.split("\n").filter(line => line.startsWith("install --frozen-lockfile")).length
  }
  expect(dev("demo").code).toBe(0)
  dev("demo")
  expect(await installs()).toBe(1)
  writeFileSync(join(folder, "checkout/bun.lock"), "changed\n")
  dev("demo")
  expect(await installs()).toBe(2)
})

test("whatever is no task is handed to Sluice, flags and all", () => {
  symlinkSync(process.execPath, join(programs, "bun"))
  mkdirSync(join(folder, "checkout/node_modules"))
  const wanted = Bun.spawnSync(["sh", "-c", "cat package.json bun.lock | cksum"], { cwd: join(folder, "checkout") })
  writeFileSync(join(folder, "checkout/node_modules/.sluice-installed"), wanted.stdout.toString())
  const { out } = dev("serve", "--listen", "a b")
  expect(out).toBe('["serve","--listen","a b"]\n')
})
