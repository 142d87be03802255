/** `sluice accounts list` and `show`: what accounts there are, without a secret. */

import { type AccountDescription, describeAccount } from "#accounts/describe-account.ts"
import type { CommandIo } from "#cli/command.ts"
import { type Account, maskLabel } from "#core/account.ts"
import { systemClock } from "#core/clock.ts"

import { hasFlag, type OpenedAccounts, pickAccounts, withAllAccounts, wrongUsage } from "./open-accounts.ts"
import { formatTable } from "./table.ts"

/** Describes an account with its label masked. */
function describe(account: Account, nowMs: number): AccountDescription {
  return { ...describeAccount(account, nowMs), label: maskLabel(account.label) }
}

const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
]

/** A span in its largest unit: `in 3 h`, `2 d ago`. */
export function relativeTime(seconds: number): string {
  const size = Math.abs(seconds)
  const [length, unit] = UNITS.find(([one]) => size >= one) ?? [1, "s"]
  const text = `${Math.floor(size / length)} ${unit}`
  return seconds < 0 ? `${text} ago` : `in ${text}`
}

function expiryText({ type, state, expiresInSec, canRefresh }: AccountDescription["credential"]): string {
  if (type === "api-key") return "-"
  // A bare refresh token has no access token that could expire.
  if (expiresInSec === undefined || (state === "expired" && canRefresh && -expiresInSec > 1e9)) return "unknown"
  return relativeTime(expiresInSec)
}

function stateText({ disabled, credential }: AccountDescription): string {
  if (disabled) return "disabled"
  return credential.type === "chatgpt" && !credential.canRefresh ? `${credential.state}, no refresh` : credential.state
}

function refreshText(lastRefresh: string | undefined, nowMs: number): string {
  return lastRefresh === undefined
    ? "-"
    : relativeTime(Math.min(-1, Math.floor((Date.parse(lastRefresh) - nowMs) / 1000)))
}

function rowOf(one: AccountDescription, nowMs: number): readonly string[] {
  const { id, label, plan = "-", credential, file } = one
  const kind = credential.type === "api-key" ? "api key" : "sign-in"
  const times = [expiryText(credential), refreshText(credential.lastRefresh, nowMs)]
  return [id, label, plan, kind, stateText(one), ...times, file]
}

const HEAD = ["ID", "LABEL", "PLAN", "KIND", "STATE", "EXPIRES", "REFRESHED", "FILE"] as const

function reportTrouble({ broken, duplicates }: OpenedAccounts, io: CommandIo): void {
  for (const { path, reasons } of broken) io.stderr(`not readable: ${path}: ${reasons.join("; ")}\n`)
  for (const { accountId, path, servedFrom } of duplicates) {
    io.stderr(`twice: ${accountId} is in ${path} too; ${servedFrom} is newer and counts\n`)
  }
}

function list(opened: OpenedAccounts, io: CommandIo): number {
  if (opened.line.positionals.length > 0) return wrongUsage(io, "list takes no account; `show` does")
  const nowMs = systemClock()
  const accounts = [...opened.accounts.values()].map(account => describe(account, nowMs))
  if (hasFlag(opened.line, "--json")) {
    const { authDir, broken, duplicates } = opened
    io.stdout(`${JSON.stringify({ authDir, accounts, broken, duplicates }, undefined, 2)}\n`)
    return 0
  }
  if (accounts.length === 0) io.stdout(`no accounts in ${opened.authDir}\n`)
  else io.stdout(formatTable([HEAD, ...accounts.map(one => rowOf(one, nowMs))]))
  reportTrouble(opened, io)
  return 0
}

function show(opened: OpenedAccounts, io: CommandIo): number {
  const names = opened.line.positionals
  if (names.length === 0) return wrongUsage(io, "show needs an account: its id, e-mail or file name")
  const { picked, complaint } = pickAccounts(opened, names)
  if (complaint !== undefined) {
    io.stderr(`sluice accounts: ${complaint}\n`)
    return 1
  }
  const nowMs = systemClock()
  const accounts = picked.map(account => describe(account, nowMs))
  if (hasFlag(opened.line, "--json")) {
    io.stdout(`${JSON.stringify({ accounts }, undefined, 2)}\n`)
    return 0
  }
  const blocks = accounts.map(one => {
    const row = rowOf(one, nowMs)
    return formatTable(HEAD.map((name, index) => [name.toLowerCase(), row[index] ?? ""]))
  })
  io.stdout(blocks.join("\n"))
  return 0
}

/** Runs `list`. */
export function runList(args: readonly string[], io: CommandIo): Promise<number> {
  return withAllAccounts(args, {}, io, async opened => list(opened, io))
}

/** Runs `show`. */
export function runShow(args: readonly string[], io: CommandIo): Promise<number> {
  return withAllAccounts(args, {}, io, async opened => show(opened, io))
}
