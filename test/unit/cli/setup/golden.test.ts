/** Lived-in configurations before and after `sluice setup`, as files; the same files come back with `--undo`. */

import { afterAll, describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

import { setupCommand } from "#cli/setup.ts"

import { recordIo } from "../../../support/command-io.ts"
import { readFolder } from "../../../support/read-folder.ts"

const GOLDEN = join(import.meta.dir, "golden")
const UPDATE = process.env["UPDATE_GOLDEN"] === "1"

/** Nobody listens on the discard port, so every run writes the same. */
const ARGS = ["--gateway", "http://127.0.0.1:9", "--key", "sk-golden-key"]

const FOLDERS: Readonly<Record<string, string>> = {
  codex: ".codex",
  claude: ".claude",
  opencode: ".config/opencode",
  gemini: ".gemini",
  continue: ".continue",
}

const home = mkdtempSync(join(tmpdir(), "sluice-golden-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const cases = readdirSync(GOLDEN).flatMap(name => {
  const [, client = "", file = "", title = ""] =
    /^([a-z]+)-(.*?\.(?:toml|env|jsonc?|yaml))-(.+)\.before\.txt$/.exec(name) ?? []
  return client === "" ? [] : [{ client, file, title, name: name.slice(0, -".before.txt".length) }]
})

async function run(args: readonly string[]): Promise<void> {
  const { io, stderr } = recordIo({ cwd: home })
  expect(await setupCommand.run(args, io)).toBe(0)
  expect(stderr()).toBe("")
}

test("every client has a case", () => {
  expect(new Set(cases.map(({ client }) => client))).toEqual(new Set(Object.keys(FOLDERS)))
})

describe.each(cases)("$client, $file, $title", ({ client, file, title, name }) => {
  const place = join(home, `${client}-${file}-${title}`)
  const path = join(place, FOLDERS[client] ?? "", file)
  const before = readFileSync(join(GOLDEN, `${name}.before.txt`))
  const argsFor = (...more: readonly string[]) => [client, "--home", place, ...more]

  test("says what the golden file says, changes nothing when run again, and is undone byte for byte", async () => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, before)
    chmodSync(path, 0o640)
    const untouched = readFolder(place)
    await run(argsFor(...ARGS))
    const after = readFileSync(path)
    const golden = join(GOLDEN, `${name}.after.txt`)
    if (UPDATE) writeFileSync(golden, after)
    expect(after.toString()).toBe(readFileSync(golden).toString())
    expect(statSync(path).mode & 0o777).toBe(0o640)

    const written = readFolder(place)
    await run(argsFor(...ARGS))
    expect(readFolder(place)).toEqual(written)

    await run(argsFor("--undo"))
    expect(readFolder(place)).toEqual(untouched)
  })
})
