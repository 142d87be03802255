/** The operators' proxies: in memory for every decision, in the store for the next start, their addresses sealed. */

import type { Sealer } from "#accounts/secrets/seal.ts"
import { openSecret, sealRow } from "#accounts/secrets/sealed-rows.ts"
import type { Clock } from "#core/clock.ts"
import { proxyIdIn } from "#core/egress-names.ts"
import { GatewayError } from "#core/errors.ts"
import { makeId, type RandomBytes } from "#core/ids.ts"
import { parseJsonObject, stringAt } from "#core/json.ts"
import type { EgressFault } from "#scheduler/types.ts"
import type { ProxyRow, ProxyRows } from "#store/proxies.ts"
import type { SealedValueRow, SealedValueRows } from "#store/sealed-values.ts"
import { type Egress, parseEgress } from "#transport/egress.ts"

import { type ProxyHealth, UNCHECKED } from "./proxy-health.ts"

/** One proxy. Replaced whole when anything about it changes. */
export type KeptProxy = {
  readonly id: string
  readonly name: string
  /** With its login: never logged, never shown unless somebody asks for it. Undefined = its row cannot be read. */
  readonly url: string | undefined
  readonly region?: string
  readonly enabled: boolean
  /** Requests through it at the same time; 0 = no limit. */
  readonly maxConcurrent: number
  readonly health: ProxyHealth
  readonly createdAtMs: number
}

/** What operators say of a proxy. `url` is tidy. */
export type ProxyFacts = Pick<KeptProxy, "name" | "enabled" | "maxConcurrent"> & {
  readonly url: string
  readonly region?: string
}

/** All proxies. Functions that write return after the disk has it, and throw the store's error. */
export type ProxyBook = {
  readonly list: () => readonly KeptProxy[]
  readonly get: (id: string) => KeptProxy | undefined
  readonly add: (facts: readonly ProxyFacts[]) => readonly KeptProxy[]
  /** A new address, and a proxy that is enabled again, start without anything that was known before. */
  readonly change: (changes: readonly { readonly id: string; readonly facts: ProxyFacts }[]) => readonly KeptProxy[]
  readonly remove: (ids: readonly string[]) => void
  /** Takes over what a check has found; ignored for a proxy that was removed or got another address meanwhile. */
  readonly noteHealth: (checked: KeptProxy, health: ProxyHealth) => void
  /** Why nobody may go out by this name; undefined = nothing stands against it. */
  readonly faultOf: (egressName: string) => EgressFault | undefined
  /** The way behind a name; undefined when there is none, or none that may be used. */
  readonly wayOf: (egressName: string) => Egress | undefined
}

/** What the book is made of. */
export type ProxyBookParts = {
  readonly rows: ProxyRows & Pick<SealedValueRows, "listSealedValues">
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: RandomBytes
  /** Told of every proxy that came, went or stands otherwise than before. */
  readonly changed: (id: string) => void
  readonly reportFailure: (name: string, cause: unknown) => void
}

const PREFIX = "proxies/"
const sealedName = (id: string): string => `${PREFIX}${id}`

/** Makes the book and reads all proxies. Each of them is told as changed once `changed` may be called. */
export function makeProxyBook(parts: ProxyBookParts): ProxyBook {
  const { rows, clock, random, changed } = parts
  const urls = readUrls(parts)
  const proxies = new Map(rows.listProxies().map(row => [row.proxyId, proxyOf(row, urls.get(row.proxyId))]))

  function take(proxy: KeptProxy): KeptProxy {
    proxies.set(proxy.id, proxy)
    changed(proxy.id)
    return proxy
  }

  const faultOf = (egressName: string): EgressFault | undefined => {
    const id = proxyIdIn(egressName)
    return id === undefined ? undefined : faultIn(proxies.get(id))
  }

  return {
    list: () => [...proxies.values()],
    get: id => proxies.get(id),
    add: facts => {
      const added = facts.map(one => ({
        id: makeId("px_", random, 6),
        ...one,
        health: UNCHECKED,
        createdAtMs: clock(),
      }))
      rows.putProxies(
        added.map(rowOf),
        added.map(proxy => sealedRow(proxy, parts)),
      )
      return added.map(take)
    },
    change: changes => {
      const changed = changes.map(({ id, facts }) => laidOver(proxies.get(id) ?? missing(id), facts))
      const moved = changed.filter(({ id, url }) => proxies.get(id)?.url !== url)
      rows.putProxies(
        changed.map(rowOf),
        moved.map(proxy => sealedRow(proxy, parts)),
      )
      return changed.map(take)
    },
    remove: ids => {
      rows.deleteProxies(ids, sealedName)
      for (const id of ids) proxies.delete(id)
      ids.forEach(changed)
    },
    noteHealth: (checked, health) => {
      const present = proxies.get(checked.id)
      if (present === undefined || present.url !== checked.url) return
      rows.noteProxies([rowOf({ ...present, health })])
      take({ ...present, health })
    },
    faultOf,
    wayOf: egressName => {
      const url = proxies.get(proxyIdIn(egressName) ?? "")?.url
      const fault = faultOf(egressName)
      // One that is down may still be tried, by a check and by nobody else's fault: it leads nowhere but through itself.
      return url === undefined || (fault !== undefined && fault !== "proxy-down") ? undefined : egressIn(url)
    },
  }
}

/** The way through a proxy, also through one that accounts may not use now; undefined for an address that cannot be used. */
export function egressOfProxy({ url }: Pick<KeptProxy, "url">): Egress | undefined {
  return url === undefined ? undefined : egressIn(url)
}

/** The refusal of a name or an id that is no proxy's. */
export function unknownProxy(name: string): GatewayError {
  return new GatewayError("not-found", `There is no proxy "${name}".`, {
    code: "proxy_not_found",
    hint: "`sluice proxies list` shows ids and names.",
  })
}

function missing(id: string): never {
  throw unknownProxy(id)
}

/** Whoever enables a proxy, or gives it another address, has a reason to try it. */
function laidOver(before: KeptProxy, facts: ProxyFacts): KeptProxy {
  const isFresh = before.url !== facts.url || (facts.enabled && !before.enabled)
  return { id: before.id, ...facts, health: isFresh ? UNCHECKED : before.health, createdAtMs: before.createdAtMs }
}

function faultIn(proxy: KeptProxy | undefined): EgressFault | undefined {
  if (proxy === undefined) return "proxy-missing"
  if (!proxy.enabled) return "proxy-disabled"
  if (egressOfProxy(proxy) === undefined) return "proxy-unusable"
  return proxy.health.state === "down" ? "proxy-down" : undefined
}

/** Undefined for an address that cannot be used: its accounts wait, and the reason is shown. */
function egressIn(url: string): Egress | undefined {
  try {
    const egress = parseEgress(url)
    return egress.type === "direct" ? undefined : egress
  } catch {
    return undefined
  }
}

function readUrls({ rows, sealer, reportFailure }: ProxyBookParts): ReadonlyMap<string, string> {
  const urls = new Map<string, string>()
  for (const { name, secretJson } of rows.listSealedValues(PREFIX)) {
    try {
      const row = { table: "sealed_values", accountId: name, secretJson, previousSecretJson: null } as const
      const object = parseJsonObject(openSecret(row, sealer))
      const url = object === undefined ? undefined : stringAt(object, "url")
      if (url !== undefined) urls.set(name.slice(PREFIX.length), url)
    } catch (cause) {
      // One damaged address must not keep the gateway from starting; its accounts wait.
      reportFailure("reading the address of a proxy", cause)
    }
  }
  return urls
}

function sealedRow({ id, url }: Pick<KeptProxy, "id" | "url">, { sealer, clock }: ProxyBookParts): SealedValueRow {
  const name = sealedName(id)
  const clear = {
    table: "sealed_values",
    accountId: name,
    secretJson: JSON.stringify({ url }),
    previousSecretJson: null,
  } as const
  return { name, secretJson: sealRow(clear, sealer).secretJson, updatedAtMs: clock() }
}

function proxyOf(row: ProxyRow, url: string | undefined): KeptProxy {
  const { downSinceMs, exitAddress, latencyMs, failure, checkedAtMs } = row
  return {
    id: row.proxyId,
    name: row.name,
    url,
    ...(row.region !== null && { region: row.region }),
    enabled: row.enabled !== 0,
    maxConcurrent: row.maxConcurrent,
    health: {
      state: row.state === "up" || row.state === "down" ? row.state : "unknown",
      failStreak: row.failStreak,
      successStreak: row.successStreak,
      ...(downSinceMs !== null && { downSinceMs }),
      ...(exitAddress !== null && { exitAddress }),
      ...(latencyMs !== null && { latencyMs }),
      ...(failure !== null && { failure }),
      ...(checkedAtMs !== null && { checkedAtMs }),
    },
    createdAtMs: row.createdAtMs,
  }
}

function rowOf({ id, name, region, enabled, maxConcurrent, health, createdAtMs }: KeptProxy): ProxyRow {
  return {
    proxyId: id,
    name,
    region: region ?? null,
    enabled: enabled ? 1 : 0,
    maxConcurrent,
    state: health.state,
    failStreak: health.failStreak,
    successStreak: health.successStreak,
    downSinceMs: health.downSinceMs ?? null,
    exitAddress: health.exitAddress ?? null,
    latencyMs: health.latencyMs ?? null,
    failure: health.failure ?? null,
    checkedAtMs: health.checkedAtMs ?? null,
    createdAtMs,
  }
}
