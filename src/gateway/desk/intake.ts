/** Accounts in and out: texts in any known shape become accounts, accounts become texts in any known shape. */

import type { AccountPool } from "#accounts/account-pool.ts"
import { FORMATS, isListFormat, type ListFormat, listFormats } from "#accounts/formats/format-names.ts"
import { type ExportedText, type ExportFormat, exportAccounts } from "#accounts/intake/export-accounts.ts"
import { applyImport } from "#accounts/intake/import-accounts.ts"
import { type ImportResult, type ImportSource, planImport, type ReadSource } from "#accounts/intake/import-plan.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"

import { findTargets, type Targets } from "./targets.ts"

/** A text with accounts and what to call it: a file's name, `request body`. */
export type AccountText = ImportSource

/** How an import is to be done. */
export type ImportOrder = {
  readonly sources: Iterable<AccountText>
  /** Name of a format; undefined or `auto`: found out. */
  readonly format?: string | undefined
  /** Says what would happen and changes nothing. */
  readonly isDryRun?: boolean | undefined
  /** Set on every account that is added. */
  readonly label?: string | undefined
  readonly tags?: readonly string[] | undefined
  /** Id of the proxy that accounts which are added go out through, from their first moment on. */
  readonly proxy?: string | undefined
  /** True for accounts that have signed in just now: their token counts, whatever the times say. */
  readonly isSignIn?: boolean | undefined
  readonly signal: AbortSignal
  readonly onProgress?: ((written: number, total: number) => void) | undefined
}

/** How many entries ended how. */
export type ImportCounts = Readonly<Record<ImportResult["outcome"], number>>

/** What became of one entry; members that do not apply are absent. */
export type ImportedEntry = Omit<ImportResult, "accountId"> & { readonly account_id?: AccountId }

/** What an import came to. */
export type ImportReport = {
  readonly dry_run: boolean
  readonly counts: ImportCounts
  readonly sources: readonly ReadSource[]
  readonly results: readonly ImportedEntry[]
}

/** The two ways. */
export type Intake = {
  /** Rejects with the signal's reason when it aborts; what was written until then stays. */
  readonly importTexts: (order: ImportOrder) => Promise<ImportReport>
  /** The text holds secrets. Throws `not-found` for an unknown account, `invalid-request` for an unknown format or several in a shape for one. */
  readonly exportText: (targets: Targets, format: string) => ExportedText & { readonly isLines: boolean }
}

/** What the intake needs. */
export type IntakeParts = {
  readonly accounts: () => AccountPool
  readonly clock: Clock
  /** Lets others run. */
  readonly pause: () => Promise<void>
}

function unknownFormat(name: string): GatewayError {
  return new GatewayError("invalid-request", `There is no format "${name}".`, {
    code: "unknown_format",
    hint: `Known are ${listFormats().join(", ")}.`,
  })
}

function importFormatOf(name: string | undefined): ListFormat | undefined {
  if (name === undefined || name === "auto") return undefined
  if (isListFormat(name)) return name
  throw unknownFormat(name)
}

function exportFormatOf(name: string): ExportFormat {
  if (isListFormat(name) && name !== "tokens") return name
  throw unknownFormat(name)
}

function entryOf({ accountId, ...result }: ImportResult): ImportedEntry {
  return { ...result, ...(accountId !== undefined && { account_id: accountId }) }
}

function countOutcomes(results: readonly ImportResult[]): ImportCounts {
  const counts = { added: 0, updated: 0, unchanged: 0, refused: 0 }
  for (const { outcome } of results) counts[outcome] += 1
  return counts
}

function archivedIn(results: readonly ImportResult[], pool: AccountPool): ReadonlySet<AccountId> {
  const archived = new Set(pool.archived().map(account => account.id))
  const found = results.flatMap(({ accountId, outcome }) =>
    accountId !== undefined && outcome !== "refused" && archived.has(accountId) ? [accountId] : [],
  )
  return new Set(found)
}

/** Who imports an account that is in the recycle bin wants it back. */
function restoreArchived(results: readonly ImportResult[], pool: AccountPool): readonly ImportResult[] {
  const ids = archivedIn(results, pool)
  if (ids.size === 0) return results
  pool.changeSettings([...ids], { archivedAtMs: null })
  return results.map(result => {
    if (result.accountId === undefined || !ids.has(result.accountId)) return result
    return { ...result, ...(result.outcome === "unchanged" && { outcome: "updated" }), restored: true }
  })
}

function decorate(results: readonly ImportResult[], { label, tags }: ImportOrder, pool: AccountPool): void {
  if (label === undefined && tags === undefined) return
  const added = results.flatMap(({ outcome, accountId }) =>
    outcome === "added" && accountId !== undefined ? [accountId] : [],
  )
  if (added.length === 0) return
  pool.changeSettings(added, { ...(label !== undefined && { label }), ...(tags !== undefined && { tags }) })
}

/** Makes the intake. */
export function makeIntake({ accounts, clock, pause }: IntakeParts): Intake {
  return {
    importTexts: async order => {
      const pool = accounts()
      const { signal, onProgress, isDryRun = false } = order
      const present = [...pool.accounts(), ...pool.archived()]
      const planning = { present, memory: pool.memory, clock, pause, signal }
      const wish = { format: importFormatOf(order.format), isSignIn: order.isSignIn === true }
      const plan = await planImport(planning, order.sources, wish)
      if (isDryRun) {
        return {
          dry_run: true,
          counts: countOutcomes(plan.results),
          sources: plan.sources,
          results: plan.results.map(entryOf),
        }
      }
      const archived = new Map(pool.archived().map(account => [account.id, account]))
      const presentOf = (id: AccountId) => pool.get(id) ?? archived.get(id)
      const written = await applyImport(plan, {
        present: presentOf,
        put: (items, options) => {
          // Written down first: an account that is put is used at once, and must not go out another way even once.
          const added = items.flatMap(({ account }) => (presentOf(account.id) === undefined ? [account.id] : []))
          const { proxy } = order
          if (proxy !== undefined && added.length > 0) pool.changeSettings(added, { egress: { mode: "fixed", proxy } })
          pool.put(items, options)
        },
        pause,
        signal,
        ...(onProgress && { onProgress }),
      })
      const results = restoreArchived(written, pool)
      decorate(results, order, pool)
      return { dry_run: false, counts: countOutcomes(results), sources: plan.sources, results: results.map(entryOf) }
    },
    exportText: (targets, name) => {
      const format = exportFormatOf(name)
      const exported = exportAccounts(findTargets(targets, accounts()), format, clock())
      return { ...exported, isLines: FORMATS[format].kind === "lines" }
    },
  }
}
