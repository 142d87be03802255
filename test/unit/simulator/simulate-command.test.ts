/** `sluice simulate`: what it prints and writes, and that it stops when told to. */

import { expect, test } from "bun:test"
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { CommandIo } from "#cli/command.ts"
import { simulateCommand } from "#cli/simulate.ts"

import { recordIo } from "../../support/command-io.ts"

function makeIo(cwd = "/"): { readonly io: CommandIo; readonly out: () => string; readonly stop: () => void } {
  const controller = new AbortController()
  const lines: string[] = []
  const write = (text: string) => void lines.push(text)
  const { io } = recordIo({ stdout: write, stderr: write, cwd, signal: controller.signal })
  return { io, out: () => lines.join(""), stop: () => controller.abort() }
}

test("it serves until it is stopped, and its account files open the backend", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-simulate-"))
  try {
    const { io, out, stop } = makeIo(directory)
    const run = simulateCommand.run(["--port", "0", "--accounts", "2", "--auth-dir", "auths", "--json"], io)
    while (out() === "") await Bun.sleep(1)
    const facts = JSON.parse(out()) as { url: string; serve: string; baseUrl: string }
    expect(facts.serve).toContain(`--base-url ${facts.baseUrl} --oauth-issuer ${facts.url}`)
    const names = (await readdir(join(directory, "auths"))).sort()
    expect(names).toEqual(["simulated-account-1.json", "simulated-account-2.json"])
    const path = join(directory, "auths", "simulated-account-2.json")
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const file = JSON.parse(await readFile(path, "utf8")) as { access_token: string; account_id: string; type: string }
    expect(file.type).toBe("codex")
    const headers = { authorization: `Bearer ${file.access_token}`, "chatgpt-account-id": file.account_id }
    expect((await fetch(`${facts.url}/backend-api/wham/usage`, { headers })).status).toBe(200)
    stop()
    expect(await run).toBe(0)
  } finally {
    await rm(directory, { recursive: true })
  }
})

test("the start text says that no model is behind it and how to serve it", async () => {
  const { io, out, stop } = makeIo()
  const run = simulateCommand.run(["--port=0", "--scenario", "slow"], io)
  while (out() === "") await Bun.sleep(1)
  stop()
  await run
  expect(out()).toContain("No model and no real account is behind it.")
  expect(out()).toContain("sluice serve --auth-dir DIR --base-url http://127.0.0.1:")
})

test("the list names every scenario, for people and for machines", async () => {
  const people = makeIo()
  expect(await simulateCommand.run(["--list"], people.io)).toBe(0)
  const machines = makeIo()
  await simulateCommand.run(["--list", "--json"], machines.io)
  const list = JSON.parse(machines.out()) as readonly { name: string; sentence: string }[]
  expect(list.length).toBeGreaterThan(40)
  for (const { name, sentence } of list)
    expect(people.out()).toMatch(new RegExp(`^  ${name} +${escapeForPattern(sentence)}`, "m"))
})

test.each([
  [["--prot", "1"], "--port"],
  [["--port", "many"], "--port: expected"],
  [["--accounts", "0"], "--accounts: expected"],
  [["--scenario", "bytewse"], 'did you mean "bytewise"?'],
  [["--max-retry", "3"], "have no effect here"],
  [["now"], 'unexpected argument "now"'],
])("wrong usage %p is named", async (args, message) => {
  const { io, out } = makeIo()
  expect(await simulateCommand.run(args, io)).toBe(2)
  expect(out()).toContain(message)
})

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
}
