/** `sluice accounts redeem`: an account's reset credits, and spending one of them. */

import type { RedeemOrder } from "#cli/admin/admin-client.ts"
import { systemClock } from "#core/clock.ts"
import type { RedemptionReport, ResetCreditList } from "#gateway/desk/reset-credits.ts"

import { relativeTime } from "./relative-time.ts"
import { formatTable } from "./table.ts"
import { flagValue, hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "./verb.ts"

const HELP = `sluice accounts redeem ACCOUNT [--yes] [--credit ID] [--even-if-open] [--json]

Lists the account's reset credits, and with --yes spends one: its windows start anew and the account serves again. Spending
cannot be taken back. However often and from wherever it is ordered, a credit is spent once.

  --yes             really spends
  --credit ID       this credit; otherwise the one that ends first
  --even-if-open    although none of the account's windows is used up
${SHARED_HELP}`

const OUTCOMES: Readonly<Record<RedemptionReport["outcome"], string>> = {
  reset: "reset; the account's windows start anew",
  already_redeemed: "was redeemed before; nothing more was spent",
  nothing_to_reset: "nothing to reset; nothing was spent",
  no_credit: "the upstream knows of no such credit; nothing was spent",
}

function endText(expiresAt: string | null): string {
  const endMs = Date.parse(expiresAt ?? "")
  return Number.isNaN(endMs) ? "-" : relativeTime(Math.floor((endMs - systemClock()) / 1000))
}

function sayCredits({ line, io }: VerbCall, list: ResetCreditList): void {
  if (hasFlag(line, "--json")) {
    sayJson(io, { redeemed: false, ...list })
    return
  }
  io.stdout(`${list.account} ${list.label}: ${list.available_count} reset credits can be spent\n`)
  if (list.credits.length === 0) return
  const rows = list.credits.map(({ id, status, expires_at, title }) => [id, status, endText(expires_at), title ?? "-"])
  io.stdout(formatTable([["CREDIT", "STATUS", "ENDS", "TITLE"], ...rows]))
}

function sayOutcome({ line, io }: VerbCall, report: RedemptionReport): number {
  const { account, label, outcome, credit_id } = report
  const isDone = outcome === "reset" || outcome === "already_redeemed"
  if (hasFlag(line, "--json")) sayJson(io, { redeemed: isDone, ...report })
  else io.stdout(`${account} ${label}: ${credit_id} ${OUTCOMES[outcome]}\n`)
  return isDone ? 0 : 1
}

async function redeem(call: VerbCall): Promise<number> {
  const { line, io } = call
  const [name, ...others] = line.positionals
  if (name === undefined || others.length > 0) {
    return wrongUsage(io, "redeem needs one account: its id, e-mail, label or file name")
  }
  const admin = await call.open()
  if (!hasFlag(line, "--yes")) {
    const list = await admin.resetCredits(name)
    sayCredits(call, list)
    if (list.available_count === 0) return 0
    io.stderr("nothing was spent: add --yes to spend one\n")
    return 0
  }
  const credit = flagValue(line, "--credit")
  const order: RedeemOrder = {
    ...(credit !== undefined && { credit_id: credit }),
    ...(hasFlag(line, "--even-if-open") && { even_if_open: true }),
  }
  return sayOutcome(call, await admin.redeem(name, order))
}

/** `redeem`. */
export const redeemVerb: Verb = {
  help: HELP,
  flags: { "--yes": "switch", "--credit": "value", "--even-if-open": "switch" },
  run: redeem,
}
