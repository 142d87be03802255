/** The desks beside the accounts' own: cookies, quota, client keys, proxies, and what has been. */

import { type CookieDesk, type CookieDeskParts, makeCookieDesk } from "./cookies.ts"
import { type KeyDesk, type KeyDeskParts, makeKeyDesk } from "./keys.ts"
import { makeProxyDesk, type ProxyDesk, type ProxyDeskParts } from "./proxies.ts"
import { makeQuotaDesk, type QuotaDesk, type QuotaDeskParts } from "./quota.ts"
import { makeRecordsDesk, type RecordsDesk, type RecordsDeskParts } from "./records.ts"

/** The desks. */
export type SideDesks = {
  readonly cookies: CookieDesk
  readonly quota: QuotaDesk
  readonly keys: KeyDesk
  readonly proxies: ProxyDesk
  readonly records: RecordsDesk
}

/** What they are made of. */
export type SideDeskParts = CookieDeskParts &
  QuotaDeskParts &
  RecordsDeskParts &
  Pick<KeyDeskParts, "clock"> &
  Pick<ProxyDeskParts, "accounts"> & {
    readonly keys: Omit<KeyDeskParts, "clock">
    readonly proxies: Omit<ProxyDeskParts, "accounts" | "clock">
  }

/** Makes them. */
export function makeSideDesks(parts: SideDeskParts): SideDesks {
  const { accounts, clock } = parts
  return {
    cookies: makeCookieDesk(parts),
    quota: makeQuotaDesk(parts),
    keys: makeKeyDesk({ ...parts.keys, clock }),
    proxies: makeProxyDesk({ ...parts.proxies, accounts, clock }),
    records: makeRecordsDesk(parts),
  }
}
