/** What every part of a gateway under construction may need. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { CookieBook } from "#accounts/cookies/cookie-book.ts"
import type { Tenure } from "#cli/takeover/tenure.ts"
import type { Config } from "#config/config.ts"
import type { SendUpstream } from "#core/upstream.ts"
import type { Store } from "#store/store.ts"

/** The surroundings of the bricks. */
export type GatewayContext = {
  /** The configuration in force; read again at each use, so that live settings take effect. */
  readonly config: () => Config
  /** Known once the accounts are put together, which need the pool themselves. */
  readonly accounts: () => AccountPool
  /** Takes the cookies of the account along whose request it is. */
  readonly send: SendUpstream
  readonly cookies: CookieBook
  readonly store: Store
  /** Whether this process still is the gateway. */
  readonly tenure: Tenure
  /** Told about failures of work that nobody waits for. */
  readonly reportFailure: (name: string, cause: unknown) => void
}
