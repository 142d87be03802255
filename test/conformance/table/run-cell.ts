/** Plays one cell: a fresh simulator, a fresh gateway, a fresh home, one client. */

import { freePort } from "../../support/binary.ts"
import { startSimulatedGateway } from "../../support/simulated-gateway.ts"
import type { Client, Evidence, Outcome, Place, Play, Result } from "./cell.ts"
import type { Cell } from "./table.ts"
import { openTrap } from "./trap.ts"
import { turnsOf } from "./turns.ts"

/** The longest a client may take; whoever is still at it then has no answer for its user. */
const LIMIT_MS = 120_000

/** Runs a cell. Never rejects: what goes wrong is a cell that fails. */
export async function runCell({ client, row }: Cell): Promise<Result> {
  const place = { client: client.id, row: row.id }
  const reason = client.without[row.id]
  if (reason !== undefined) return { ...place, verdict: "cannot", said: reason }
  const startedAtNs = Bun.nanoseconds()
  const elapsed = () => Math.round((Bun.nanoseconds() - startedAtNs) / 1e6)
  try {
    return { ...place, ...(await playCell({ client, row }, row.play(client))), elapsedMs: elapsed() }
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    return { ...place, verdict: "fails", said: "it could not be run", detail, elapsedMs: elapsed() }
  }
}

async function playCell({ client }: Cell, play: Play): Promise<Omit<Result, "client" | "row">> {
  const limitMs = play.limitMs ?? LIMIT_MS
  const { gateway, port } = await startGatewayOf(client, play)
  const trap = openTrap()
  const place: Place = {
    gateway,
    origin: client.door === undefined ? gateway.url : `http://127.0.0.1:${port}`,
    proxy: trap.url,
    limitMs,
  }
  const over = new AbortController()
  let evidence: Evidence
  let complaints: readonly string[]
  try {
    for (const script of play.scripts ?? []) gateway.control.script(script)
    const beside = play.beside?.(place, over.signal)
    const outcome = await client.run(play.task, place)
    over.abort()
    await beside
    evidence = { outcome, turns: turnsOf(place), client, place }
    complaints = outcome.isLate ? [`no end within ${limitMs / 1000} s`] : await play.judge(evidence)
  } finally {
    over.abort()
    trap.stop()
    // It also looks for the accounts' secrets in everything that was written.
    await gateway.stop()
  }
  return verdictOf(evidence, play, { complaints, strayed: trap.hosts() })
}

/** A port that was free a moment ago may be a neighbour's by now: then another one is taken. */
async function startGatewayOf(client: Client, play: Play, tries = 3): ReturnType<typeof startOnce> {
  try {
    return await startOnce(client, play)
  } catch (cause) {
    const isTaken = cause instanceof Error && cause.message.includes("Cannot listen")
    if (!isTaken || tries === 1) throw cause
    return startGatewayOf(client, play, tries - 1)
  }
}

async function startOnce(client: Client, play: Play) {
  const port = freePort()
  const door = client.door === "ollama" ? { ollama: { enabled: true, port } } : {}
  const settings = { ...door, ...play.settings }
  return { port, gateway: await startSimulatedGateway({ accounts: play.accounts ?? 2, settings }) }
}

function verdictOf(
  { outcome, turns }: Evidence,
  play: Play,
  found: { readonly complaints: readonly string[]; readonly strayed: readonly string[] },
): Omit<Result, "client" | "row"> {
  const { strayed } = found
  const count = turns.length
  const wrongTurns = play.turns.includes(count) ? [] : [`${count} turns went upstream, not ${play.turns.join(" or ")}`]
  const complaints = [...found.complaints, ...wrongTurns]
  return {
    verdict: complaints.length === 0 ? "holds" : "fails",
    said: complaints[0] ?? sayingOf(outcome),
    turns: count,
    ...(strayed.length > 0 && { strayed }),
    ...(complaints.length > 0 && { detail: complaints.join("; ") }),
  }
}

/** What the user ends up with, in a word. */
function sayingOf(outcome: Outcome): string {
  if (outcome.error !== undefined) return outcome.ran.length > 0 ? "told, after a tool ran" : "told"
  return "answer"
}
