/** Finds the tests that hold a numbered fault: titles that begin with `fault NN: `, read from the test files. */

import { readFileSync } from "node:fs"
import { join } from "node:path"

import { ROOT } from "../source-tree.ts"

/** A title as it stands in its file, placeholders included. */
export type FaultTest = { readonly fault: number; readonly title: string; readonly file: string }

/** A string in any quotes that begins like a title. */
const TITLE = /(["'`])fault (\d{1,2}): ((?:(?!\1)[^\\\n]|\\.)*)\1/g

/** Reads every test file of the checkout, sorted by path. */
export function readFaultTests(): readonly FaultTest[] {
  const paths = [...new Bun.Glob("test/**/*.test.ts").scanSync({ cwd: ROOT })].sort()
  return paths
    .filter(path => !path.includes("node_modules"))
    .flatMap(path => findFaultTests(path.replaceAll("\\", "/"), readFileSync(join(ROOT, path), "utf8")))
}

/** Titles in one file's text, in order. */
export function findFaultTests(file: string, text: string): readonly FaultTest[] {
  return [...text.matchAll(TITLE)].map(([, , number, title]) => ({ fault: Number(number), title: title ?? "", file }))
}
