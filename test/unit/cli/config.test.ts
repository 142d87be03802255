/** `sluice config` as an operator meets it. */

import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { configCommand } from "#cli/config.ts"

import { recordIo } from "../../support/command-io.ts"

async function run(yaml: string, ...args: readonly string[]) {
  const cwd = mkdtempSync(join(tmpdir(), "sluice-cli-config-"))
  writeFileSync(join(cwd, "sluice.yaml"), yaml)
  const { io, stdout, stderr } = recordIo({ env: { HOME: cwd }, cwd })
  const exitCode = await configCommand.run(args, io)
  rmSync(cwd, { recursive: true })
  return { exitCode, stdout: stdout(), stderr: stderr(), cwd }
}

test("check names the file that is sound", async () => {
  const { cwd, ...result } = await run("max-retry: 1", "check")
  expect(result).toEqual({ exitCode: 0, stdout: `${cwd}/sluice.yaml: ok\n`, stderr: "" })
})

test("check reports every problem and exits with 1", async () => {
  const result = await run("max-retries: 1\nworkers: x", "check", "sluice.yaml")
  expect(result).toMatchObject({ exitCode: 1, stdout: "" })
  expect(result.stderr.trim().split("\n")).toEqual([
    'sluice.yaml:1: max-retries: unknown key; did you mean "max-retry"?',
    'sluice.yaml:2: workers: expected `auto` or a whole number from 1 to 64, got the text "x"',
  ])
})

test("check --json has the problems in parts and as text", async () => {
  const result = await run("workers: x", "check", "--json")
  expect(result.exitCode).toBe(1)
  expect(JSON.parse(result.stdout)).toMatchObject({
    ok: false,
    problems: [{ key: "workers", source: { type: "file", file: "sluice.yaml", line: 1 } }],
  })
})

test("check passes warnings on and still succeeds", async () => {
  const result = await run("selector: quota-first", "check")
  expect(result.exitCode).toBe(0)
  expect(result.stderr).toBe("warning: sluice.yaml: selector: known from another gateway, without effect here\n")
})

test("print --explain shows each value with its origin and no secret", async () => {
  const result = await run("api-keys: [sk-very-secret]", "print", "--explain", "--max-retry", "9")
  expect(result.exitCode).toBe(0)
  expect(result.stdout).toMatch(/^max-retry: 9 +# flag --max-retry$/m)
  expect(result.stdout).toMatch(/^api-keys: \["sk-\*\*\*"\] +# sluice.yaml:1$/m)
  expect(result.stdout).toMatch(/^workers: 1 +# default$/m)
  expect(result.stdout).not.toContain("very-secret")
})

test("print without --explain can be read as YAML again", async () => {
  const result = await run("max-retry: 3", "print")
  expect(result.stdout).toContain("max-retry: 3\n")
  expect((await run(result.stdout, "check")).exitCode).toBe(0)
})

test("print --json is one object", async () => {
  expect(JSON.parse((await run("max-retry: 3", "print", "--json")).stdout)).toMatchObject({ "max-retry": 3 })
  const explained = JSON.parse((await run("max-retry: 3", "print", "--json", "--explain")).stdout)
  expect(explained["max-retry"]).toEqual({ value: 3, from: "sluice.yaml:1" })
})

test("schema prints JSON whatever the file holds", async () => {
  const result = await run("broken: [", "schema")
  expect(result.exitCode).toBe(0)
  expect(JSON.parse(result.stdout).properties.listen.type).toBe("string")
})

test("wrong usage exits with 2 and says what was meant", async () => {
  expect(await run("", "chekc")).toMatchObject({ exitCode: 2, stdout: "" })
  expect((await run("", "chekc")).stderr).toContain('did you mean "check"?')
  expect((await run("")).exitCode).toBe(2)
  expect((await run("", "check", "a", "b")).exitCode).toBe(2)
  expect((await run("", "check", "--jsom")).stderr).toContain('did you mean "--json"?')
})
