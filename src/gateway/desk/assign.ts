/** Orders that say by which way accounts go out: for some by name, for those that fit a rule, with a look beforehand. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { EgressChoice } from "#accounts/sources/egress-choice.ts"
import type { Account } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { makePoolChooser, type PoolChooser, poolChoice } from "#gateway/egress/pool-members.ts"
import { type ProxyBook, unknownProxy } from "#gateway/egress/proxy-book.ts"

import { findTargets, type Targets } from "./targets.ts"

/** Which of the accounts that are named an order is for; absent = whatever they say. All that is given must fit. */
export type AssignRule = {
  readonly tag?: string | undefined
  readonly plan?: string | undefined
  readonly provider?: string | undefined
  readonly source?: "file" | "store" | undefined
  /** Beginning of the e-mail or the label; upper and lower case count alike. */
  readonly prefix?: string | undefined
  /** How the account goes out now. */
  readonly mode?: "inherit" | EgressChoice["mode"] | undefined
  /** Id or name of the proxy it is assigned to now. */
  readonly proxy?: string | undefined
}

/** An order. Several ways are dealt out in turn, in the order of the accounts' ids. */
export type AssignOrder = {
  readonly accounts: Targets
  readonly rule?: AssignRule | undefined
  /** `inherit`, `direct`, `pool`, or a proxy's id or name. */
  readonly to: readonly string[]
  /** Only says what would change. */
  readonly isDryRun: boolean
}

/** A way as it is shown: `inherit`, `direct`, `pool: name` or the proxy's name. */
export type AssignReport = {
  readonly dry_run: boolean
  readonly changes: readonly {
    readonly account: string
    readonly label: string
    readonly from: string
    readonly to: string
  }[]
  readonly unchanged: number
}

/** What assigning needs. */
export type AssignParts = {
  readonly book: ProxyBook
  readonly accounts: () => AccountPool
  readonly clock: Clock
}

/** Finds a proxy by its id or its name. Throws `not-found`. */
export function findProxy(book: ProxyBook, name: string) {
  const wanted = name.toLowerCase()
  const found = book.get(name) ?? book.list().find(proxy => proxy.name.toLowerCase() === wanted)
  if (found === undefined) throw unknownProxy(name)
  return found
}

/** Carries the order out, all or nothing. Throws `not-found` for an account or a proxy, `invalid-request` without any way. */
export function assign(order: AssignOrder, parts: AssignParts): AssignReport {
  const { book, accounts } = parts
  const pool = accounts()
  const ways = order.to.map(name => wayNamed(name, book))
  if (ways.length === 0) {
    throw new GatewayError("invalid-request", "The order names no way out.", {
      code: "no_way_named",
      hint: "Send `to`: inherit, direct, pool, or a proxy's id or name; several are dealt out in turn.",
    })
  }
  const fits = ruleOf(order.rule ?? {}, parts)
  const found = findTargets(order.accounts, pool).filter(fits)
  const inOrder = found.toSorted((left, right) => (left.id < right.id ? -1 : 1))
  const choose = makePoolChooser(parts)
  const wanted = new Map<AccountId, EgressChoice | null>()
  const changes: AssignReport["changes"][number][] = []
  for (const [index, { id, label }] of inOrder.entries()) {
    const before = pool.settingsOf(id).egress
    const after = choiceFor(id, ways[index % ways.length] ?? "inherit", { before, choose })
    if (Bun.deepEquals(before, after)) continue
    wanted.set(id, after ?? null)
    changes.push({ account: id, label, from: choiceText(before, book), to: choiceText(after, book) })
  }
  if (!order.isDryRun && wanted.size > 0) {
    pool.changeSettings([...wanted.keys()], id => ({ egress: wanted.get(id) ?? null }))
  }
  return { dry_run: order.isDryRun, changes, unchanged: inOrder.length - changes.length }
}

type NamedWay = "inherit" | "direct" | "pool" | { readonly proxy: string }

function wayNamed(name: string, book: ProxyBook): NamedWay {
  if (name === "inherit" || name === "direct" || name === "pool") return name
  return { proxy: findProxy(book, name).id }
}

type ChoiceFacts = { readonly before: EgressChoice | undefined; readonly choose: PoolChooser }

function choiceFor(id: AccountId, way: NamedWay, { before, choose }: ChoiceFacts): EgressChoice | undefined {
  if (way === "inherit") return undefined
  if (way === "direct") return { mode: "direct" }
  if (way !== "pool") return { mode: "fixed", proxy: way.proxy }
  // What was chosen once stays: saying it again moves nobody.
  return poolChoice(choose(id, before?.mode === "pool" ? before.proxy : undefined))
}

function choiceText(choice: EgressChoice | undefined, book: ProxyBook): string {
  if (choice === undefined) return "inherit"
  if (choice.mode === "direct") return "direct"
  const name = choice.proxy === undefined ? "none yet" : (book.get(choice.proxy)?.name ?? choice.proxy)
  return choice.mode === "pool" ? `pool: ${name}` : name
}

function ruleOf(rule: AssignRule, { book, accounts }: AssignParts): (account: Account) => boolean {
  const { tag, plan, provider, source, mode } = rule
  const proxy = rule.proxy === undefined ? undefined : findProxy(book, rule.proxy).id
  const prefix = rule.prefix?.toLowerCase()
  const { settingsOf } = accounts()
  return account => {
    const choice = settingsOf(account.id).egress
    const present = choice === undefined || choice.mode === "direct" ? undefined : choice.proxy
    return (
      (tag === undefined || account.tags?.includes(tag) === true) &&
      (plan === undefined || account.plan === plan) &&
      (provider === undefined || account.provider === provider) &&
      (source === undefined || account.source.type === source) &&
      (prefix === undefined || [account.email, account.label].some(one => one?.toLowerCase().startsWith(prefix))) &&
      (mode === undefined || (choice?.mode ?? "inherit") === mode) &&
      (proxy === undefined || present === proxy)
    )
  }
}
