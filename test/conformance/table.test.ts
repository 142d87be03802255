/** The published table of clients: every cell is played, and the page says what came of it. */

import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { compiledBinary } from "../support/binary.ts"
import { staleMend } from "../support/faults/mends.ts"
import { ROOT } from "../support/source-tree.ts"
import type { Result } from "./table/cell.ts"
import { TRANSLATOR_MENDS } from "./table/mends.ts"
import { renderTable } from "./table/render-table.ts"
import { CLIENTS, cellsOf, ROWS } from "./table/table.ts"

// Ten minutes on a machine of two free cores; each cell has a limit of its own.
setDefaultTimeout(60 * 60_000)

const PAGE = Bun.file(join(ROOT, "docs/conformance.md"))

/** Cells that were green may not turn red, and red ones may not be passed over. */
const LEAST_CELLS = 200

type Report = { readonly results: readonly Result[]; readonly names?: readonly string[] }

async function playAll(): Promise<Report> {
  const child = Bun.spawn([process.execPath, "scripts/conformance.ts", "--json"], {
    cwd: ROOT,
    env: { ...process.env, SLUICE_BINARY: await compiledBinary() },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  await child.exited
  if (stdout === "") throw new Error(`the cells could not be played: ${stderr.slice(-1000)}`)
  // What the program itself has written.
  return JSON.parse(stdout) as Report
}

describe("the conformance table", () => {
  test("has a cell for every client with every row, or the reason why there is none", () => {
    const cells = cellsOf([])
    expect(cells).toHaveLength(CLIENTS.length * ROWS.length)
    const ids = new Set(ROWS.map(({ id }) => id))
    expect(CLIENTS.flatMap(({ without }) => Object.keys(without).filter(id => !ids.has(id)))).toEqual([])
    expect(cells.filter(({ client, row }) => client.without[row.id] === undefined).length).toBeGreaterThan(LEAST_CELLS)
  })

  test("records at least ten mends, each found exactly once and with a cell that exists", () => {
    expect(TRANSLATOR_MENDS.length).toBeGreaterThanOrEqual(10)
    expect(TRANSLATOR_MENDS.flatMap(mend => staleMend(mend, ROOT) ?? [])).toEqual([])
    const isCell = ({ client, row }: (typeof TRANSLATOR_MENDS)[number]["cell"]) =>
      cellsOf([client, row]).some(cell => cell.client.id === client && cell.client.without[row] === undefined)
    expect(TRANSLATOR_MENDS.filter(({ cell }) => !isCell(cell))).toEqual([])
  })

  test("docs/conformance.md is what the clients end up with", async () => {
    const { results, names = [] } = await playAll()
    const rendered = renderTable(results, names)
    if (process.env["UPDATE_GENERATED"] === "1") await Bun.write(PAGE, rendered)
    const written = (await PAGE.text()).split("\n")
    // Only the lines that differ: two pages side by side would hide which cell has turned.
    const lines = rendered.split("\n")
    expect(lines.filter(line => !written.includes(line))).toEqual([])
    expect(written.filter(line => !lines.includes(line))).toEqual([])
  })
})
