/** Takes the translators' mends out of a copy of the checkout, one by one, and plays the cell that must fail then. */

import { isJsonObject } from "#core/json.ts"

import { TRANSLATOR_MENDS, type TranslatorMend } from "../../test/conformance/table/mends.ts"
import { staleMend } from "../../test/support/faults/mends.ts"
import { makeScratchCheckout, type ScratchCheckout } from "./scratch-checkout.ts"

/** What became of one mend: red is as it should be. */
type TriedMend = TranslatorMend & {
  readonly verdict: "red" | "green" | "red-before" | "stale" | "broken"
  readonly detail: string
}

/** Tries every mend, or those of the named cells' clients and rows; tells progress to `say`. */
export async function tryTranslatorMends(
  names: readonly string[],
  say: (text: string) => void,
): Promise<readonly TriedMend[]> {
  const isWanted = ({ cell }: TranslatorMend) =>
    names.length === 0 || names.includes(cell.client) || names.includes(cell.row)
  const chosen = TRANSLATOR_MENDS.filter(isWanted)
  await using scratch = await makeScratchCheckout()
  const tried: TriedMend[] = []
  for (const [index, mend] of chosen.entries()) {
    const result = { ...mend, ...(await tryMend(mend, scratch)) }
    tried.push(result)
    say(`[${index + 1}/${chosen.length}] ${mend.what}: ${result.verdict}, ${result.detail}`)
  }
  return tried
}

async function tryMend(mend: TranslatorMend, scratch: ScratchCheckout): Promise<Pick<TriedMend, "verdict" | "detail">> {
  const stale = staleMend(mend, scratch.folder)
  if (stale !== undefined) return { verdict: "stale", detail: stale }
  const before = await playCell(mend, scratch)
  if (before.verdict !== "holds") return { verdict: "red-before", detail: before.detail }
  const after = await scratch.without({ ...mend, fault: 0, test: "" }, () => playCell(mend, scratch))
  if (after.verdict === "absent") return { verdict: "broken", detail: after.detail }
  return { verdict: after.verdict === "fails" ? "red" : "green", detail: after.detail }
}

async function playCell({ cell }: TranslatorMend, scratch: ScratchCheckout) {
  const command = [process.execPath, "scripts/conformance.ts", cell.client, cell.row, "--json"]
  const child = Bun.spawn(command, {
    cwd: scratch.folder,
    // A binary that somebody names would not be the one without the mend.
    env: { ...process.env, SLUICE_BINARY: "", SLUICE_CONFORMANCE_INSIDE: "", TMPDIR: scratch.temporary },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const forget = scratch.onEnd(() => child.kill())
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  await child.exited
  forget()
  return readCell(stdout, cell.client) ?? { verdict: "absent", detail: stderr.trim().slice(-300) }
}

function readCell(printed: string, client: string): { readonly verdict: string; readonly detail: string } | undefined {
  if (printed.trim() === "") return undefined
  const report: unknown = JSON.parse(printed)
  const results = isJsonObject(report) && Array.isArray(report["results"]) ? report["results"] : []
  const result = results.filter(isJsonObject).find(one => one["client"] === client)
  if (result === undefined) return undefined
  return { verdict: String(result["verdict"]), detail: String(result["detail"] ?? result["said"]) }
}
