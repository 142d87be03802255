/** One setup from the wish to what is said about it. */

import type { Client, Finding, GatewayWish } from "#cli/clients/client.ts"
import type { CommandIo } from "#cli/command.ts"
import { checkBaseUrl, checkProxies } from "#cli/doctor/check-address.ts"

import { actionOf, applyFiles } from "./apply-files.ts"
import { backupPath } from "./backup.ts"
import { lineDiff } from "./line-diff.ts"
import { makeWish, type WishFacts } from "./make-wish.ts"
import { type PlannedFile, planFiles } from "./plan-files.ts"
import { modeOf } from "./write-file.ts"

/** A client whose files can be written. */
export type SetupClient = Client & { readonly setup: NonNullable<Client["setup"]> }

/** What to set up. */
export type SetupFacts = WishFacts & { readonly client: SetupClient }

/** How to go about it. */
export type SetupManner = { readonly io: CommandIo; readonly dryRun: boolean; readonly json: boolean }

/** Sets up, or shows what would happen, and returns the exit code. Rejects before anything is touched where it can. */
export async function runSetup(facts: SetupFacts, { io, dryRun, json }: SetupManner): Promise<number> {
  const { client, place, origin } = facts
  const { wish, notes } = await makeWish(facts)
  const planned = await planFiles(await client.setup.changes(place, wish))
  if (!dryRun) await applyFiles(planned)
  // What else stands in the way is told once the files say what they should.
  const findings = dryRun ? [] : [...(await readableByOthers(planned, wish.key)), ...(await remaining(facts))]
  const report = { client, wish, notes, findings, planned, dryRun }
  io.stdout(json ? jsonReport(report) : textReport(report, origin))
  return 0
}

async function remaining({ client, place, origin }: SetupFacts): Promise<readonly Finding[]> {
  const view = await client.view(place)
  const proxies = checkProxies(view, origin)
  const all = [...view.findings, checkBaseUrl(view, origin), ...(proxies === undefined ? [] : [proxies])]
  return all.filter(({ status }) => status !== "ok")
}

/** A key in a file that others may read is no secret on a machine with several users. */
async function readableByOthers(planned: readonly PlannedFile[], key: string): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { path, after } of planned) {
    if (!after.includes(key) || ((await modeOf(path)) & 0o077) === 0) continue
    findings.push({ status: "note", text: `${path} holds the key, and others may read it`, fix: `chmod 600 ${path}` })
  }
  return findings
}

type Report = {
  readonly client: SetupClient
  readonly wish: GatewayWish
  readonly notes: readonly string[]
  readonly findings: readonly Finding[]
  readonly planned: readonly PlannedFile[]
  readonly dryRun: boolean
}

function textReport({ client, wish, notes, findings, planned, dryRun }: Report, origin: string): string {
  const model = wish.model === undefined ? "" : `, model ${wish.model}`
  const said = findings.map(({ status, text, fix }) => `${status}: ${text}${fix === undefined ? "" : `\n  → ${fix}`}`)
  const lines = [
    `${client.title} → ${origin}${model}${dryRun ? " (nothing is changed)" : ""}`,
    ...planned.flatMap(file => fileLines(file, wish.key, dryRun)),
    ...notes.map(note => `note: ${note}`),
    ...said,
    ...(dryRun ? [] : [closingLine(client.name)]),
  ]
  return `${lines.join("\n")}\n`
}

function fileLines(file: PlannedFile, key: string, dryRun: boolean): readonly string[] {
  const action = actionOf(file)
  const line = `  ${action.padEnd(9)}  ${file.path}`
  if (dryRun) return [line, ...lineDiff(file.before ?? "", file.after, [key]).map(change => `    ${change}`)]
  return action === "changed" ? [`${line}  (original: ${backupPath(file.path)})`] : [line]
}

function closingLine(name: string): string {
  return `Check: sluice doctor --client ${name}    Undo: sluice setup ${name} --undo`
}

function jsonReport({ client, wish, notes, findings, planned, dryRun }: Report): string {
  const files = planned.map(file => ({
    path: file.path,
    action: actionOf(file),
    ...(dryRun && { diff: lineDiff(file.before ?? "", file.after, [wish.key]) }),
  }))
  const { origin: gateway, model = null } = wish
  return `${JSON.stringify({ client: client.name, gateway, model, dryRun, files, notes, findings }, undefined, 2)}\n`
}
