/** Every known edge case and invariant of the Gemini dialect has a number, and every number has a test. */

import { expect, test } from "bun:test"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const TESTS = join(import.meta.dir, "../../..")

/** Where the dialect's numbered tests are. */
const FILES = [
  ...readdirSync(import.meta.dir)
    .filter(name => name !== "numbered-cases.test.ts")
    .map(name => join("unit/protocols/gemini", name)),
  "faults/gemini.test.ts",
  "conformance/genai-sdk.test.ts",
  "support/gemini-invariants.ts",
  "matrix.test.ts",
]

/** Scenarios of the matrix that hold a case, with their golden answers. */
const SCENARIOS: Readonly<Record<string, string>> = {
  27: "cut",
  28: "interleaved-calls",
  29: "done-only-arguments",
  31: "empty-output-list",
  34: "text",
  38: "image",
}

/** The bridge to Ollama has numbers of its own in the same list. */
const OTHER_DIALECT = new Set(["43", "44", "45", "46", "47", "48", "49", "50", "51", "52", "53"])

function found(): ReadonlySet<string> {
  const text = FILES.map(file => readFileSync(join(TESTS, file), "utf8")).join("\n")
  const titles = [...text.matchAll(/["'`]((?:\d+|[A-Z]\d+)(?:, (?:\d+|[A-Z]\d+))*): /g)]
  const cases = titles.flatMap(match => (match[1] ?? "").split(", "))
  const named = [...text.matchAll(/\b([RGJ]\d+)\b/g)].map(match => match[1] ?? "")
  return new Set([...cases, ...named])
}

const upTo = (count: number, letter = "") => Array.from({ length: count }, (_, index) => `${letter}${index + 1}`)
const missing = (names: readonly string[]) => names.filter(name => !found().has(name))

test("edge cases 1 to 55, without those of the other dialect", () => {
  const own = upTo(55).filter(name => !OTHER_DIALECT.has(name))
  expect(missing(own).filter(name => SCENARIOS[name] === undefined)).toEqual([])
})
test("the scenarios that stand for a case have a golden answer", () => {
  for (const scenario of Object.values(SCENARIOS)) {
    const golden = readFileSync(join(TESTS, "scenarios", scenario, "client.gemini.txt"), "utf8")
    expect(golden).toContain('"candidates":[{')
  }
})
test("invariants R1 to R6", () => expect(missing(upTo(6, "R"))).toEqual([]))
test("invariants G1 to G12", () => expect(missing(upTo(12, "G"))).toEqual([]))
test("invariants J1 and J2", () => expect(missing(upTo(2, "J"))).toEqual([]))
