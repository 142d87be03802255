/** Parts of a turn that also tell the successor what they have learned, once there is one. */

import type { CookieBook } from "#accounts/cookies/cookie-book.ts"
import type { BuiltPool } from "#cli/compose/build-pool.ts"

import type { Tenure } from "./tenure.ts"

/** A scheduler and a pool that tell what attempts have shown. */
export function tellingTurn(
  { scheduler, pool }: Pick<BuiltPool, "scheduler" | "pool">,
  { tell }: Tenure,
): Pick<BuiltPool, "scheduler" | "pool"> {
  return {
    scheduler: {
      ...scheduler,
      report: (account, report) => {
        scheduler.report(account, report)
        tell({ type: "report", account, report })
      },
    },
    pool: {
      ...pool,
      observeQuota: (account, snapshot, askedAtMs) => {
        pool.observeQuota(account, snapshot, askedAtMs)
        tell({ type: "quota", account, snapshot, askedAtMs })
      },
    },
  }
}

/** A book that tells what answers have set. */
export function tellingCookies(cookies: CookieBook, { tell }: Tenure): CookieBook {
  return {
    ...cookies,
    take: (account, url, setCookies) => {
      cookies.take(account, url, setCookies)
      if (cookies.has(account)) tell({ type: "cookies", account, url, setCookies })
    },
  }
}
