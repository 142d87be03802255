/** The accounts' cookies, and the sender that takes them along. */

import { type CookieBook, type CookieBookParts, makeCookieBook } from "#accounts/cookies/cookie-book.ts"
import { sendWithCookies } from "#accounts/cookies/send-with-cookies.ts"
import type { Sealer } from "#accounts/secrets/seal.ts"
import { tellingCookies } from "#cli/takeover/telling.ts"
import type { Tenure } from "#cli/takeover/tenure.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { SendUpstream } from "#core/upstream.ts"
import type { Store } from "#store/store.ts"

/** What the cookies are built from. */
export type BuildCookiesParts = {
  readonly store: Store
  readonly sealer: Sealer
  readonly send: SendUpstream
  readonly reportFailure: CookieBookParts["reportFailure"]
  readonly tenure: Tenure
}

/** Builds both. */
export function buildCookies(parts: BuildCookiesParts): { readonly cookies: CookieBook; readonly send: SendUpstream } {
  const { store, sealer, reportFailure } = parts
  const cookies = makeCookieBook({ rows: store, sealer, clock: systemClock, timers: systemTimers, reportFailure })
  return { cookies, send: sendWithCookies(parts.send, tellingCookies(cookies, parts.tenure)) }
}
