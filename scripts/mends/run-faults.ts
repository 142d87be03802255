/** Runs the tests of some faults in one file, and reads what became of each fault. */

import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"

import type { ScratchCheckout } from "./scratch-checkout.ts"

/** What became of a fault's tests: failed when one did, passed when one did and none failed. */
export type FaultState = "passed" | "failed" | "skipped" | "absent"

/** One run. */
export type FaultRun = {
  readonly of: (fault: number) => FaultState
  /** The source did not build: that proves nothing about the tests. */
  readonly isBroken: boolean
  readonly isHung: boolean
  /** What to tell of a run that came out otherwise than expected. */
  readonly summary: string
}

const LIMIT_MS = 5 * 60_000
const BROKEN = /the binary does not build|SyntaxError|Cannot find module|Export named .* not found/

/** Runs `file` in the copy, only the tests of `faults`. */
export async function runFaults(scratch: ScratchCheckout, file: string, faults: readonly number[]): Promise<FaultRun> {
  const report = join(scratch.folder, "junit.xml")
  rmSync(report, { force: true })
  const pattern = `fault (${[...new Set(faults)].join("|")}): `
  const command = [process.execPath, "test", file, "-t", pattern, "--reporter=junit", `--reporter-outfile=${report}`]
  const child = Bun.spawn(command, {
    cwd: scratch.folder,
    // A binary that somebody names would not be the one without the mend; what tests leave behind goes with the copy.
    env: { ...process.env, SLUICE_BINARY: "", UPDATE_GENERATED: "", TMPDIR: scratch.temporary },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // A group of its own: a test that fails halfway leaves gateways behind, which hold its output open as well.
    detached: true,
  })
  let isHung = false
  const late = setTimeout(() => {
    isHung = true
    endGroup(child.pid)
  }, LIMIT_MS)
  const forget = scratch.onEnd(() => endGroup(child.pid))
  void child.exited.then(() => endGroup(child.pid))
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  clearTimeout(late)
  forget()
  const output = `${stdout}${stderr}`
  const cases = existsSync(report) ? readCases(readFileSync(report, "utf8")) : []
  return {
    of: fault => stateOf(cases.filter(({ name }) => name.includes(`fault ${fault}: `)).map(({ state }) => state)),
    isBroken: BROKEN.test(output),
    isHung,
    summary: summaryOf(output),
  }
}

/** Ends whatever of a run is still there. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Everybody has gone by themselves.
  }
}

type Case = { readonly name: string; readonly state: Exclude<FaultState, "absent"> }

const CASE = /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g

/** The name of a case stands in one attribute, those of the groups around it in another. */
function readCases(xml: string): readonly Case[] {
  return [...xml.matchAll(CASE)].map(([, attributes = "", inner = ""]) => {
    if (inner.includes("<skipped")) return { name: attributes, state: "skipped" }
    return { name: attributes, state: inner.includes("<failure") || inner.includes("<error") ? "failed" : "passed" }
  })
}

/** Cases that another name was asked for are listed as skipped. */
function stateOf(states: readonly FaultState[]): FaultState {
  for (const state of ["failed", "passed", "skipped"] as const) if (states.includes(state)) return state
  return "absent"
}

function summaryOf(output: string): string {
  const lines = output.split("\n").filter(line => /^error:|\(fail\)|^ *\d+ (pass|fail)|does not build/.test(line))
  return lines.slice(0, 6).join(" · ") || output.trim().slice(-300)
}
