/** The ways out that a configuration names, each once, with what uses it. */

import type { Config } from "#config/config.ts"
import { type Egress, parseEgress } from "#transport/egress.ts"

import { poolEgresses } from "./pool-egresses.ts"

/** One way out. */
export type Way = {
  readonly egress: Egress
  /** Scheme, host and port without credentials, or `direct`. */
  readonly shown: string
  /** `proxy-url` for what has no way of its own, else ids of `credential-pool.codex`. */
  readonly usedBy: readonly string[]
}

/** Returns the standard way first. Throws `upstream-unavailable` for a proxy that cannot be used. */
export function listWays(config: Pick<Config, "proxyUrl" | "credentialPool">): readonly Way[] {
  const ways = new Map<string, { readonly egress: Egress; readonly usedBy: string[] }>()
  const add = (egress: Egress, user: string) => {
    const way = ways.get(egress.id)
    if (way === undefined) ways.set(egress.id, { egress, usedBy: [user] })
    else way.usedBy.push(user)
  }
  add(parseEgress(config.proxyUrl), "proxy-url")
  for (const [id, egress] of poolEgresses(config.credentialPool)) add(egress, id)
  return [...ways.values()].map(way => ({ ...way, shown: shownOf(way.egress) }))
}

function shownOf(egress: Egress): string {
  if (egress.type === "direct") return "direct"
  return egress.type === "socks" ? egress.address.shown : egress.url
}

/** The same for the operators' desk: only what may be shown. */
export function configuredWays(config: Parameters<typeof listWays>[0]) {
  return listWays(config).map(({ shown, usedBy }) => ({ url: shown, used_by: usedBy }))
}
