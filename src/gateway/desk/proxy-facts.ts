/** What may be said of a proxy: names that can be told apart, and sensible bounds. */

import { GatewayError } from "#core/errors.ts"
import { tidyProxyUrl } from "#gateway/egress/proxy-address.ts"
import type { KeptProxy, ProxyBook, ProxyFacts } from "#gateway/egress/proxy-book.ts"

import { makeProxyRegister, type ProxyRegister } from "./proxy-register.ts"

/** What operators say of a proxy; null takes back. */
export type ProxyChange = {
  readonly url?: string | undefined
  readonly name?: string | undefined
  readonly region?: string | null | undefined
  readonly enabled?: boolean | undefined
  readonly maxConcurrent?: number | undefined
}

const MAX_NAME = 100
const MAX_REGION = 100
const MAX_CONCURRENT = 100_000

/** Words that stand for other ways out, here and with the systems that Sluice replaces. */
const RESERVED: ReadonlySet<string> = new Set(["inherit", "direct", "pool", "global", "auto", "all", "none"])

function refuse(message: string, hint: string): GatewayError {
  return new GatewayError("invalid-request", message, { code: "invalid_proxy", hint })
}

/**
 * Returns the facts of the proxy `id`, or of a new one. Throws `invalid-request` for a name that another has or that stands for
 * something else, and for what is out of bounds.
 */
export function checkFacts(facts: ProxyFacts, register: Pick<ProxyRegister, "byName">, id?: string): ProxyFacts {
  const { name, region, maxConcurrent } = facts
  if (name.length > MAX_NAME || /[\p{Cc},]/u.test(name) || RESERVED.has(name.toLowerCase()) || /^px_/.test(name)) {
    throw refuse(
      "The proxy's name cannot be used.",
      `A name has up to ${MAX_NAME} characters without commas, does not begin with px_, and is none of ${[...RESERVED].join(", ")}.`,
    )
  }
  const owner = register.byName(name)
  if (owner !== undefined && (id === undefined || owner.id !== id))
    throw refuse(`There is a proxy named "${name}" already.`, "Choose another name.")
  if ((region?.length ?? 0) > MAX_REGION)
    throw refuse("The region is too long.", `It has up to ${MAX_REGION} characters.`)
  if (!Number.isInteger(maxConcurrent) || maxConcurrent < 0 || maxConcurrent > MAX_CONCURRENT) {
    throw refuse("max_concurrent is out of bounds.", `It is a whole number from 0 (no limit) to ${MAX_CONCURRENT}.`)
  }
  return facts
}

/** What new proxies are. Throws `invalid-request` for an address that cannot be used or is there already. */
export function newFacts(
  wishes: readonly (ProxyChange & { readonly url: string })[],
  book: Pick<ProxyBook, "list">,
): readonly ProxyFacts[] {
  const register = makeProxyRegister(book.list())
  return wishes.map(({ url: text, name, region, enabled = true, maxConcurrent = 0 }) => {
    const url = tidyProxyUrl(text)
    const present = register.byUrl(url)
    if (present !== undefined) {
      throw new GatewayError("invalid-request", `The proxy is there already, as ${present.name}.`, {
        code: "proxy_exists",
        hint: "Change that one, or leave it out.",
      })
    }
    const rest = { url, enabled, maxConcurrent, ...(region && { region: region.trim() }) }
    const facts = checkFacts({ ...rest, name: name?.trim() || register.freeName(url) }, register)
    register.enter(facts)
    return facts
  })
}

/** What a proxy is after a change. Throws `invalid-request` for what does not fit. */
export function changedFacts(proxy: KeptProxy, change: ProxyChange, book: ProxyBook): ProxyFacts {
  const url = change.url === undefined ? proxy.url : tidyProxyUrl(change.url)
  if (url === undefined) {
    throw new GatewayError("invalid-request", `The address of ${proxy.name} cannot be read any more.`, {
      code: "proxy_unusable",
      hint: "Send it anew as `url`.",
    })
  }
  const region = change.region === undefined ? proxy.region : (change.region ?? undefined)
  const facts = {
    url,
    name: change.name?.trim() || proxy.name,
    enabled: change.enabled ?? proxy.enabled,
    maxConcurrent: change.maxConcurrent ?? proxy.maxConcurrent,
    ...(region !== undefined && region.trim() !== "" && { region: region.trim() }),
  }
  return checkFacts(facts, makeProxyRegister(book.list()), proxy.id)
}

/** Returns the id of the proxy at an address, which is added if it is not there. Throws `invalid-request`. */
export function keepProxy(address: string, book: ProxyBook): string {
  const url = tidyProxyUrl(address)
  const present = book.list().find(proxy => proxy.url === url)
  const [proxy = present] = present === undefined ? book.add(newFacts([{ url }], book)) : []
  if (proxy === undefined) throw new TypeError("what is added is returned")
  return proxy.id
}
