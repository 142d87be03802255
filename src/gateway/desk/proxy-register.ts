/** Which names and addresses proxies have, for telling new ones from known ones; lists may be long. */

import { readProxyAddress } from "#gateway/egress/proxy-address.ts"
import type { KeptProxy } from "#gateway/egress/proxy-book.ts"

/** One that is known; without an id it is being added. */
export type Registered = { readonly id?: string; readonly name: string; readonly url: string | undefined }

/** The register. Names count alike in upper and lower case. */
export type ProxyRegister = {
  readonly byName: (name: string) => Registered | undefined
  readonly byUrl: (url: string) => Registered | undefined
  readonly enter: (one: Registered) => void
  /** A name for a proxy that was given none: its host and port, numbered when others have that. */
  readonly freeName: (url: string) => string
}

/** Leaves room for a number within what a name may have. */
const MAX_BASE = 90

/** Makes the register of the proxies there are. */
export function makeProxyRegister(proxies: readonly KeptProxy[]): ProxyRegister {
  const names = new Map<string, Registered>()
  const urls = new Map<string, Registered>()
  // Many proxies of one host differ in their users only: each looks for a number behind the last.
  const numbers = new Map<string, number>()

  function enter(one: Registered): void {
    names.set(one.name.toLowerCase(), one)
    if (one.url !== undefined) urls.set(one.url, one)
  }
  for (const { id, name, url } of proxies) enter({ id, name, url })

  return {
    byName: name => names.get(name.toLowerCase()),
    byUrl: url => urls.get(url),
    enter,
    freeName: url => {
      const base = readProxyAddress(url).host.slice(0, MAX_BASE)
      for (let number = numbers.get(base) ?? 1; ; number += 1) {
        const name = number === 1 ? base : `${base} (${number})`
        if (names.has(name.toLowerCase())) continue
        numbers.set(base, number + 1)
        return name
      }
    },
  }
}
