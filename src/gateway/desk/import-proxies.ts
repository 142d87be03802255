/** Takes lists of proxies in: new ones are added, known ones brought up to date, faulty entries named. */

import { GatewayError, toGatewayError } from "#core/errors.ts"
import type { KeptProxy, ProxyBook, ProxyFacts } from "#gateway/egress/proxy-book.ts"
import { type ProxyEntry, type ReadProxy, readProxyText } from "#gateway/egress/proxy-text.ts"

import { checkFacts } from "./proxy-facts.ts"
import { makeProxyRegister, type ProxyRegister } from "./proxy-register.ts"

/** What became of a list. `name` is that of the proxy; `reason` quotes no address. */
export type ProxyImportReport = {
  readonly dry_run: boolean
  readonly counts: {
    readonly added: number
    readonly updated: number
    readonly unchanged: number
    readonly refused: number
  }
  readonly results: readonly {
    readonly where: string
    readonly outcome: "added" | "updated" | "unchanged" | "refused"
    readonly name?: string
    readonly reason?: string
  }[]
}

type Step =
  | { readonly where: string; readonly outcome: "added"; readonly facts: ProxyFacts }
  | { readonly where: string; readonly outcome: "updated"; readonly facts: ProxyFacts; readonly id: string }
  | { readonly where: string; readonly outcome: "unchanged"; readonly name: string }
  | { readonly where: string; readonly outcome: "refused"; readonly reason: string }

/** Each has connections of its own; more than this is a list of something else. */
const MAX_ENTRIES = 10_000

/** Imports a list; one faulty entry stops none of the others. Throws `invalid-request` for a list that is too long. */
export function importProxies(
  text: string,
  { book, isDryRun }: { readonly book: ProxyBook; readonly isDryRun: boolean },
): ProxyImportReport {
  const entries = readProxyText(text)
  if (entries.length > MAX_ENTRIES) {
    throw new GatewayError(
      "invalid-request",
      `At most ${MAX_ENTRIES} proxies at a time; these are ${entries.length}.`,
      {
        code: "too_many_proxies",
        hint: "Cut the list into several.",
      },
    )
  }
  const register = makeProxyRegister(book.list())
  const steps = entries.map(read => stepFor(read, book, register))
  if (!isDryRun) {
    const added = steps.flatMap(step => (step.outcome === "added" ? [step.facts] : []))
    if (added.length > 0) book.add(added)
    const updated = steps.flatMap(step => (step.outcome === "updated" ? [step] : []))
    if (updated.length > 0) book.change(updated)
  }
  const count = (outcome: Step["outcome"]) => steps.filter(step => step.outcome === outcome).length
  return {
    dry_run: isDryRun,
    counts: {
      added: count("added"),
      updated: count("updated"),
      unchanged: count("unchanged"),
      refused: count("refused"),
    },
    results: steps.map(step => {
      const { where, outcome } = step
      if (outcome === "refused") return { where, outcome, reason: step.reason }
      return { where, outcome, name: outcome === "unchanged" ? step.name : step.facts.name }
    }),
  }
}

function stepFor(read: ReadProxy, book: ProxyBook, register: ProxyRegister): Step {
  const { where } = read
  if (read.type === "refused") return { where, outcome: "refused", reason: read.reason }
  try {
    return plan(read.entry, where, { book, register })
  } catch (cause) {
    const { message, hint } = toGatewayError(cause)
    return { where, outcome: "refused", reason: hint === undefined ? message : `${message} ${hint}` }
  }
}

type Known = { readonly book: ProxyBook; readonly register: ProxyRegister }

/** The same name, or without a name the same address, is the same proxy. */
function plan(entry: ProxyEntry, where: string, { book, register }: Known): Step {
  const known = (entry.name === undefined ? undefined : register.byName(entry.name)) ?? register.byUrl(entry.url)
  const present = known?.id === undefined ? undefined : book.get(known.id)
  // Twice in one list; another address under one name is refused below.
  if (known !== undefined && known.url === entry.url && present === undefined) {
    return { where, outcome: "unchanged", name: known.name }
  }
  if (present === undefined) {
    const { url, region, enabled = true, maxConcurrent = 0 } = entry
    const name = entry.name ?? register.freeName(url)
    const facts = { url, name, enabled, maxConcurrent, ...(region !== undefined && { region }) }
    register.enter(checkFacts(facts, register))
    return { where, outcome: "added", facts }
  }
  const facts = laidOver(present, entry)
  if (isSame(present, facts)) return { where, outcome: "unchanged", name: present.name }
  register.enter({ ...checkFacts(facts, register, present.id), id: present.id })
  return { where, outcome: "updated", id: present.id, facts }
}

function laidOver({ name, region: known, enabled, maxConcurrent }: KeptProxy, entry: ProxyEntry): ProxyFacts {
  const region = entry.region ?? known
  return {
    url: entry.url,
    name: entry.name ?? name,
    enabled: entry.enabled ?? enabled,
    maxConcurrent: entry.maxConcurrent ?? maxConcurrent,
    ...(region !== undefined && { region }),
  }
}

function isSame({ url, name, region, enabled, maxConcurrent }: KeptProxy, facts: ProxyFacts): boolean {
  return Bun.deepEquals({ url, name, region, enabled, maxConcurrent }, { region: undefined, ...facts })
}
