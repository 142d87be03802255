/** Runs the benches of test/bench one after the other: `./dev bench [name …] [--flag value …]`; flags go to the benches. */

import { resolve } from "node:path"

const root = resolve(import.meta.dir, "..")
const args = process.argv.slice(2)
const firstFlag = args.findIndex(arg => arg.startsWith("--"))
const names = firstFlag === -1 ? args : args.slice(0, firstFlag)
const flags = firstFlag === -1 ? [] : args.slice(firstFlag)
const all = [...new Bun.Glob("test/bench/**/*.bench.ts").scanSync({ cwd: root })].sort()
const chosen = names.length === 0 ? all : all.filter(path => names.some(name => path.includes(name)))
if (chosen.length === 0) {
  console.error(`bench: nothing matches ${names.join(", ")}; there are:\n  ${all.join("\n  ")}`)
  process.exit(2)
}

if (flags.includes("--help") || names.includes("help")) {
  console.log(
    "Usage: ./dev bench [name …] [--flag value …]\n\nRuns them one after the other. --smoke only shows that they run.\n",
  )
  for (const path of chosen) {
    const text = await Bun.file(resolve(root, path)).text()
    // The comment a file begins with says what it measures, and which flags it takes.
    const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? ""
    const words = comment.replaceAll(/^\s*\*? ?/gm, "").trim()
    console.log(`${path.replace(/^.*\/(.*)\.bench\.ts$/, "$1")}\n  ${words.replaceAll("\n", "\n  ")}\n`)
  }
  process.exit(0)
}

// One at a time: two would measure each other.
const failed: string[] = []
for (const path of chosen) {
  console.log(`\n## ${path}`)
  const child = Bun.spawn([process.execPath, path, ...flags], {
    cwd: root,
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  })
  if ((await child.exited) !== 0) failed.push(path)
}
if (failed.length > 0) console.error(`\nbench: failed: ${failed.join(", ")}`)
process.exitCode = failed.length === 0 ? 0 : 1
