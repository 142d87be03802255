/** Runs real clients against the compiled binary over the simulator, cell by cell: `./dev conformance [client|row …]`. */

import { availableParallelism } from "node:os"

import type { Result } from "../test/conformance/table/cell.ts"
import { openNameTrap } from "../test/conformance/table/name-trap.ts"
import { runCell } from "../test/conformance/table/run-cell.ts"
import { type Cell, CLIENTS, cellsOf, ROWS, unknownNames } from "../test/conformance/table/table.ts"
import { compiledBinary } from "../test/support/binary.ts"
import { conformanceClients } from "../test/support/conformance-clients.ts"
import { tryTranslatorMends } from "./mends/run-cells.ts"

const HELP = `Usage: ./dev conformance [client|row …] [--json] [--list] [--workers N]

Starts the compiled binary over the simulator for each cell of docs/conformance.md and lets a real client play it, in a home
and a work folder of its own. Clients that are missing are installed into the cache first. Where Linux lets it, everything
runs in a network of its own that has only the loopback.

  client       only this client, e.g. codex, opencode, opencode-chat
  row          only this row, e.g. tool, cut-call; or: scenarios, faults
  --workers N  so many cells at a time (one more than there are processors)
  --list       name clients and rows and stop
  --mends      take mends out of the translators, in a copy of this checkout, and expect red cells
  --json       the result as JSON on the standard output; progress goes to the other one

Exit code 0 when no cell fails, 1 otherwise, 2 for names that do not exist.
`

/** Every address is this machine: what is asked of others is refused at once, and a question for a name is heard. */
const ENTER =
  'ip link set lo up && ip route add local default dev lo && { ip -6 route add local default dev lo || true; } && exec "$@"'

/** Says to the process itself that it is already in a network of its own. */
const INSIDE = "SLUICE_CONFORMANCE_INSIDE"

const args = process.argv.slice(2)
const isJson = args.includes("--json")

function say(text: string): void {
  if (isJson) console.error(text)
  else console.log(text)
}

function list(): void {
  if (isJson) {
    console.log(JSON.stringify({ clients: CLIENTS.map(({ id }) => id), rows: ROWS.map(({ id }) => id) }, undefined, 2))
    return
  }
  for (const { id, title, protocol } of CLIENTS) console.log(`${id.padEnd(20)} ${title} (${protocol})`)
  console.log()
  for (const { id, title } of ROWS) console.log(`${id.padEnd(20)} ${title}`)
}

/** Starts this program again where nothing but the loopback can be reached; undefined when the system does not let it. */
async function runInside(): Promise<number | undefined> {
  const enter = ["unshare", "-rn", "sh", "-c", ENTER, "sh"]
  if (Bun.which("unshare") === null || Bun.which("ip") === null) return undefined
  const probe = Bun.spawnSync([...enter, "true"], { stdout: "ignore", stderr: "ignore" })
  if (!probe.success) return undefined
  const child = Bun.spawn([...enter, process.execPath, import.meta.path, ...args], {
    env: { ...process.env, [INSIDE]: "1", SLUICE_BINARY: await compiledBinary() },
    stdio: ["ignore", "inherit", "inherit"],
  })
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal))
  return child.exited
}

async function runAll(cells: readonly Cell[], workers: number): Promise<readonly Result[]> {
  const results = new Map<number, Result>()
  let next = 0
  const work = async () => {
    while (next < cells.length) {
      const index = next
      next += 1
      const cell = cells[index]
      if (cell === undefined) return
      const result = await runCell(cell)
      results.set(index, result)
      if (result.verdict === "cannot") continue
      const time = `${((result.elapsedMs ?? 0) / 1000).toFixed(1)} s`
      const detail = result.verdict === "fails" ? `\n    ${result.detail ?? result.said}` : ""
      say(
        `[${results.size}/${cells.length}] ${result.client} ${result.row}: ${result.verdict}, ${result.said.slice(0, 60)}, ${result.turns ?? "?"} turns, ${time}${detail}`,
      )
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  return cells.flatMap((_, index) => results.get(index) ?? [])
}

/** Takes mends out of the translators and expects red cells. */
async function runMends(wanted: readonly string[]): Promise<number> {
  const tried = await tryTranslatorMends(wanted, say)
  const red = tried.filter(({ verdict }) => verdict === "red").length
  say(`${red} of ${tried.length} red`)
  if (isJson) console.log(JSON.stringify(tried, undefined, 2))
  return red === tried.length ? 0 : 1
}

async function runTable(wanted: readonly string[], workers: number): Promise<number> {
  if (process.env[INSIDE] === undefined || process.env[INSIDE] === "") {
    say("installing clients that are missing, building the binary")
    await conformanceClients()
    await compiledBinary()
    const code = await runInside()
    if (code !== undefined) return code
    say("no network of its own on this machine: only the proxy holds clients back")
  }
  const trap = process.env[INSIDE] === "1" ? await openNameTrap() : undefined
  const results = await runAll(cellsOf(wanted), workers)
  const names = trap?.names()
  trap?.stop()
  const counted = (verdict: Result["verdict"]) => results.filter(result => result.verdict === verdict).length
  say(`${counted("holds")} hold, ${counted("fails")} fail, ${counted("cannot")} cannot be`)
  if (names !== undefined && names.length > 0) say(`names asked for past the proxy: ${names.join(", ")}`)
  if (isJson) console.log(JSON.stringify({ results, ...(names && { names }) }, undefined, 2))
  return counted("fails") === 0 ? 0 : 1
}

async function main(): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP)
    return 0
  }
  if (args.includes("--list")) {
    list()
    return 0
  }
  const at = args.indexOf("--workers")
  const workers = at < 0 ? availableParallelism() + 1 : Number(args[at + 1])
  if (!Number.isInteger(workers) || workers < 1) {
    console.error("conformance: --workers needs a whole number, e.g. --workers 2")
    return 2
  }
  const wanted = args.filter((arg, index) => !arg.startsWith("-") && (at < 0 || index !== at + 1))
  const [unknown] = unknownNames(wanted)
  if (unknown !== undefined) {
    console.error(`conformance: there is no client and no row "${unknown}"; ./dev conformance --list names them`)
    return 2
  }
  return args.includes("--mends") ? runMends(wanted) : runTable(wanted, workers)
}

process.exitCode = await main()
