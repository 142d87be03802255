/** An account's quota as it stands in the world, ready to be written in any form. */

import type { SimulatedAccount } from "./accounts/accounts.ts"
import type { QuotaFamily } from "./accounts/quota.ts"
import { type QuotaView, rateLimitsEvent } from "./accounts/quota-wire.ts"
import { nowSecOf, type World } from "./world.ts"

/** The account's quota at this moment. */
export function quotaView(world: World, account: SimulatedAccount, family: QuotaFamily): QuotaView {
  const state = world.quota.read(account.name, account.plan)
  const resetCredits = world.quota.resetCredits.available(account.name)
  return { account, family, state, resetCredits, nowSec: nowSecOf(world) }
}

/** The same as the event that streams bring along. */
export function quotaEvent(
  world: World,
  account: SimulatedAccount,
  family: QuotaFamily,
): ReturnType<typeof rateLimitsEvent> {
  return rateLimitsEvent(quotaView(world, account, family))
}
