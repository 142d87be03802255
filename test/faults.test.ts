/** The numbered faults: their page is current, and every recorded mend can be taken out. `./dev mends` does it. */

import { expect, test } from "bun:test"
import { join } from "node:path"

import { NUMBERED_FAULTS } from "./faults/numbered-faults.ts"
import { findFaultTests, readFaultTests } from "./support/faults/fault-tests.ts"
import { faultOfRecord, loadMends } from "./support/faults/mends.ts"
import { renderFaults } from "./support/faults/render-faults.ts"
import { ROOT } from "./support/source-tree.ts"

const tests = readFaultTests()
const mends = await loadMends()
const NUMBERS: ReadonlySet<number> = new Set(NUMBERED_FAULTS.map(({ number }) => number))

test("there are 76 numbered faults, from 1 on", () => {
  expect([...NUMBERS]).toEqual(Array.from({ length: 76 }, (_, index) => index + 1))
})

test("every title names a fault that exists", () => {
  expect(tests.length).toBeGreaterThan(0)
  expect(tests.filter(({ fault }) => !NUMBERS.has(fault))).toEqual([])
})

test("every recorded mend is found exactly once, and its test file has a test of its fault", () => {
  expect(mends.length).toBeGreaterThan(0)
  expect(mends.flatMap(mend => faultOfRecord(mend, tests) ?? [])).toEqual([])
})

test("a record that has gone stale is noticed", () => {
  const [mend] = mends
  if (mend === undefined) throw new Error("no mend is recorded")
  const complaint = (change: object) => faultOfRecord({ ...mend, ...change }, tests)
  expect(complaint({})).toBeUndefined()
  expect(complaint({ find: "this stands nowhere in the source" })).toContain("occurs 0 times")
  expect(complaint({ find: "e" })).toContain("and not once")
  expect(complaint({ file: "src/gone.ts" })).toContain("does not exist")
  expect(complaint({ test: "test/gone.test.ts" })).toContain("does not exist")
  expect(complaint({ test: "test/architecture.test.ts" })).toContain("has no title")
})

test("titles are found in any quotes, and nothing else is", () => {
  const word = "fault"
  const text = [
    `test("${word} 7: a 'quoted' one", () => {})`,
    `test.each([1])(\n  '${word} 8: %s', () => {})`,
    `// ${word} 9: a comment`,
    `test("about ${word} 10: no", () => {})`,
  ].join("\n")
  expect(findFaultTests("x.test.ts", text)).toEqual([
    { fault: 7, title: "a 'quoted' one", file: "x.test.ts" },
    { fault: 8, title: "%s", file: "x.test.ts" },
  ])
})

test("docs/faults.md is what the tests and the mends say", async () => {
  const page = Bun.file(join(ROOT, "docs/faults.md"))
  const rendered = renderFaults(tests, mends)
  if (process.env["UPDATE_GENERATED"] === "1") await Bun.write(page, rendered)
  // A plain answer: two pages side by side would hide what to do.
  const isCurrent = (await page.text()) === rendered
  expect(isCurrent ? "current" : "run UPDATE_GENERATED=1 bun test test/faults.test.ts").toBe("current")
})
