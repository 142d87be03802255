/** What every part of a gateway under construction may need. */

import type { AccountPool } from "#accounts/account-pool.ts"
import type { Config } from "#config/config.ts"
import type { SendUpstream } from "#core/upstream.ts"
import type { Store } from "#store/store.ts"

/** The surroundings of the bricks. */
export type GatewayContext = {
  /** The configuration in force; read again at each use, so that live settings take effect. */
  readonly config: () => Config
  /** Known once the accounts are put together, which need the pool themselves. */
  readonly accounts: () => AccountPool
  readonly send: SendUpstream
  readonly store: Store
  /** Told about failures of work that nobody waits for. */
  readonly reportFailure: (name: string, cause: unknown) => void
}
