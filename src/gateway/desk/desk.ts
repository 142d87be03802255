/** The operators' desk: every account with all that is known of it, and what can be ordered for it. */

import type { Pool } from "#gateway/pool/pool.ts"
import type { Counters } from "#telemetry/counters.ts"

import { type Intake, makeIntake } from "./intake.ts"
import { makeOrders, type Orders, type OrdersParts } from "./orders.ts"
import { makeReportAccounts, type ReportAccounts } from "./report-accounts.ts"
import { saveSignIn } from "./save-sign-in.ts"
import { makeSideDesks, type SideDeskParts, type SideDesks } from "./side-desks.ts"
import { makeSignIns, type SignInParts, type SignIns } from "./sign-ins.ts"
import { findTargets, type Targets } from "./targets.ts"

/** Which accounts a list shows. */
export type ListFilter = {
  /** The recycle bin instead of the pool. */
  readonly isArchived?: boolean | undefined
  readonly state?: string | undefined
  readonly tag?: string | undefined
  /** Part of an id, a label, an e-mail or a note; upper and lower case count alike. */
  readonly search?: string | undefined
}

/** Files that cannot be read, and accounts that a second file holds. */
export type TroubleReport = {
  readonly broken: readonly { readonly path: string; readonly reasons: readonly string[] }[]
  readonly duplicates: readonly { readonly account: string; readonly path: string; readonly served_from: string }[]
}

/** The desk. */
export type Desk = Intake &
  Orders &
  SideDesks & {
    readonly list: (filter?: ListFilter) => ReturnType<ReportAccounts>
    /** Throws `not-found`, or `invalid-request` for a name that fits several. */
    readonly show: (targets: Targets) => ReturnType<ReportAccounts>
    /** What is wrong among the account files. */
    readonly trouble: () => TroubleReport
    /** How many accounts serve, or would, and how many are in the recycle bin. */
    readonly count: () => { readonly accounts: number; readonly archived: number }
    readonly signIns: SignIns
  }

/** What the desk is made of. */
export type DeskParts = OrdersParts &
  SideDeskParts & {
    readonly pool: Pool
    readonly counters: Counters
    readonly pause: () => Promise<void>
    readonly signIn: SignInParts
  }

function matches(report: ReturnType<ReportAccounts>[number], { state, tag, search }: ListFilter): boolean {
  if (state !== undefined && report.state !== state) return false
  if (tag !== undefined && !report.tags.includes(tag)) return false
  if (search === undefined) return true
  const wanted = search.toLowerCase()
  return [report.id, report.label, report.email, report.note].some(text => text?.toLowerCase().includes(wanted))
}

/** Makes the desk. */
export function makeDesk(parts: DeskParts): Desk {
  const { clock } = parts
  const reports = makeReportAccounts(parts)
  const intake = makeIntake(parts)
  const orders = makeOrders(parts)
  const show = (targets: Targets) => reports(findTargets(targets, parts.accounts()))

  return {
    ...intake,
    ...orders,
    list: (filter = {}) => {
      const known = parts.accounts()
      return reports(filter.isArchived === true ? known.archived() : known.accounts()).filter(one =>
        matches(one, filter),
      )
    },
    trouble: () => {
      const { broken, duplicates } = parts.accounts().trouble()
      const twice = duplicates.map(({ accountId, path, servedFrom }) => ({
        account: accountId,
        path,
        served_from: servedFrom,
      }))
      return { broken, duplicates: twice }
    },
    count: () => {
      const known = parts.accounts()
      return { accounts: [...known.accounts()].length, archived: known.archived().length }
    },
    remove: async targets => {
      const removals = await orders.remove(targets)
      parts.cookies.forget(removals.map(one => one.id))
      return removals
    },
    show,
    ...makeSideDesks(parts),
    signIns: makeSignIns({
      ...parts.signIn,
      clock,
      save: text =>
        saveSignIn(text, { importTexts: intake.importTexts, show, rescan: () => parts.accounts().rescan() }),
    }),
  }
}
