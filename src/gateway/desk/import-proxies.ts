/** Takes lists of proxies in: new ones are added, known ones brought up to date, faulty entries named. */

import { toGatewayError } from "#core/errors.ts"
import type { KeptProxy, ProxyBook, ProxyFacts } from "#gateway/egress/proxy-book.ts"
import { type ProxyEntry, type ReadProxy, readProxyText } from "#gateway/egress/proxy-text.ts"

import { checkFacts, freeName } from "./proxy-facts.ts"

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

/** Imports a list; one faulty entry stops none of the others. */
export function importProxies(
  text: string,
  { book, isDryRun }: { readonly book: ProxyBook; readonly isDryRun: boolean },
): ProxyImportReport {
  const steps: Step[] = []
  for (const read of readProxyText(text)) steps.push(stepFor(read, book, steps))
  if (!isDryRun) {
    const added = steps.flatMap(step => (step.outcome === "added" ? [step.facts] : []))
    if (added.length > 0) book.add(added)
    for (const step of steps) if (step.outcome === "updated") book.change(step.id, step.facts)
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

function stepFor(read: ReadProxy, book: ProxyBook, before: readonly Step[]): Step {
  const { where } = read
  if (read.type === "refused") return { where, outcome: "refused", reason: read.reason }
  try {
    return plan(read.entry, where, { book, before })
  } catch (cause) {
    const { message, hint } = toGatewayError(cause)
    return { where, outcome: "refused", reason: hint === undefined ? message : `${message} ${hint}` }
  }
}

type Planned = { readonly book: ProxyBook; readonly before: readonly Step[] }

/** The same name, or without a name the same address, is the same proxy. */
function plan(entry: ProxyEntry, where: string, { book, before }: Planned): Step {
  const added = before.flatMap(step => (step.outcome === "added" ? [step.facts] : []))
  const twin = added.find(one => one.url === entry.url)
  if (twin !== undefined) return { where, outcome: "unchanged", name: twin.name }
  const present = findPresent(entry, book)
  if (present === undefined) {
    const { url, region, enabled = true, maxConcurrent = 0 } = entry
    const name = entry.name ?? freeName(url, book, added)
    const facts = { url, name, enabled, maxConcurrent, ...(region !== undefined && { region }) }
    return { where, outcome: "added", facts: checkFacts(facts, { book, others: added }) }
  }
  const facts = laidOver(present, entry)
  if (isSame(present, facts)) return { where, outcome: "unchanged", name: present.name }
  return {
    where,
    outcome: "updated",
    id: present.id,
    facts: checkFacts(facts, { book, others: added, except: present.id }),
  }
}

function findPresent({ name, url }: ProxyEntry, book: ProxyBook): KeptProxy | undefined {
  const known = book.list()
  const named = name === undefined ? undefined : known.find(proxy => proxy.name.toLowerCase() === name.toLowerCase())
  return named ?? known.find(proxy => proxy.url === url)
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
