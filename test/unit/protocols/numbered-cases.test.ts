/** Every known edge case and invariant of the two dialects has a number, and every number has a test. */

import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const TEST_FOLDERS = [import.meta.dir, join(import.meta.dir, "../../conformance")]

/** WebSocket is answered with 426; these follow with it. */
const WEBSOCKET_CASES = new Set([66, 67, 68])

/** Files whose numbers are those of invariants; elsewhere a plain number is an edge case. */
const INVARIANT_FILE = /invariants\.test\.ts$/

function numbersIn(pattern: RegExp, accepts: (file: string) => boolean): ReadonlySet<number> {
  const found = new Set<number>()
  for (const folder of TEST_FOLDERS) {
    for (const file of readdirSync(folder).filter(name => name.endsWith(".test.ts") && accepts(name))) {
      for (const match of readFileSync(join(folder, file), "utf8").matchAll(pattern)) found.add(Number(match[1]))
    }
  }
  return found
}

function missingFrom(found: ReadonlySet<number>, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1).filter(number => !found.has(number))
}

test("edge cases 1 to 80", () => {
  const found = numbersIn(/["'`](\d+): /g, file => !INVARIANT_FILE.test(file))
  expect(missingFrom(found, 80).filter(number => !WEBSOCKET_CASES.has(number))).toEqual([])
})

test("invariants 1 to 37", () => {
  const plain = numbersIn(/["'`](\d+): /g, file => INVARIANT_FILE.test(file))
  const named = numbersIn(/[Ii]nvariant (\d+)\b/g, () => true)
  expect(missingFrom(plain.union(named), 37)).toEqual([])
})
