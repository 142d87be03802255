/** Every known edge case and invariant of the Messages dialect has a number, and every number has a test. */

import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const TESTS = join(import.meta.dir, "../../..")

/** Where the dialect's numbered tests are. */
const FILES = [
  ...readdirSync(import.meta.dir).map(name => join("unit/protocols/anthropic-messages", name)),
  "unit/gateway/tokens/token-counter.test.ts",
  "unit/http/admission.test.ts",
  "faults/messages.test.ts",
  "conformance/anthropic-sdk.test.ts",
  "conformance/anthropic-sdk-scenarios.test.ts",
  "support/messages-invariants.ts",
]

/** Held by the scenarios `odd-unicode`, `crlf-without-event-lines` and `multi-line-data` at every chunk border. */
const IN_THE_MATRIX = new Set(["66", "67", "I18"])

function found(): ReadonlySet<string> {
  const text = FILES.map(file => readFileSync(join(TESTS, file), "utf8")).join("\n")
  const cases = [...text.matchAll(/["'`](\d+): /g)].map(match => match[1] ?? "")
  // A range stands for all between its ends.
  const ranges = [...text.matchAll(/"([IR])(\d+) to \1(\d+)\b/g)].flatMap(([, letter, from, to]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => `${letter}${Number(from) + index}`),
  )
  const named = [...text.matchAll(/\b([IR]\d+)\b/g)].map(match => match[1] ?? "")
  return new Set([...cases, ...ranges, ...named])
}

function missing(names: readonly string[]): readonly string[] {
  const known = found()
  return names.filter(name => !known.has(name) && !IN_THE_MATRIX.has(name))
}

const upTo = (count: number, letter = "") => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`)

test("edge cases 1 to 70", () => expect(missing(upTo(70))).toEqual([]))
test("invariants I1 to I18", () => expect(missing(upTo(18, "I"))).toEqual([]))
test("invariants R1 to R11", () => expect(missing(upTo(11, "R"))).toEqual([]))
