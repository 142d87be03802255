/** One request of a client key from its admission to its bill: rights, limits, a reservation, and what was really used. */

import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import type { Principal } from "#core/request.ts"
import type { AccountScope } from "#scheduler/pick/account-scope.ts"

import { amountOf } from "./amounts.ts"
import { correctRate } from "./check-limits.ts"
import { type EndedRequest, type KeyBill, usedBy } from "./key-bill.ts"
import { type Held, hold, type KeyedTurn } from "./key-hold.ts"
import type { KeyLines } from "./key-line.ts"
import { refuseEnded, refuseModel } from "./key-rights.ts"
import type { KeyEntry, KeyRing } from "./key-ring.ts"
import type { PriceOf } from "./prices.ts"

/** The bill of one request. */
export type KeyCharge = {
  /**
   * Lets the request in, or rejects with `forbidden`, `key-limit` or `cancelled`. Undefined = it is in already. A request
   * that goes another way upstream asks again, and pays once.
   */
  readonly admit: (turn: KeyedTurn, signal: AbortSignal) => Promise<void> | undefined
  /** The accounts the key may use; undefined = all. */
  readonly scope: AccountScope | undefined
  /** Ends the bill: what was held and not used goes back. Call exactly once. */
  readonly settle: (outcome: EndedRequest) => void
}

/** Opens bills. Keys from the configuration have none. */
export type KeyGate = { readonly open: (principal: Principal) => KeyCharge }

/** What the gate is made of. */
export type KeyGateParts = {
  readonly clock: Clock
  readonly ring: Pick<KeyRing, "get">
  readonly lines: KeyLines
  readonly priceOf: PriceOf
  /** Something was used or reserved. */
  readonly changed: (entry: KeyEntry) => void
  /** Where the meters may go to another process; default: nowhere. */
  readonly moving?: { readonly isOurs: () => boolean; readonly billed: (bill: KeyBill) => void }
}

/** Ids of stored keys begin like this, those of others never do. */
export const KEY_ID_PREFIX = "key_"

/** The bill of whoever pays nothing. */
const NO_CHARGE: KeyCharge = { admit: () => undefined, scope: undefined, settle: () => undefined }

/** Makes the gate. */
export function makeKeyGate(parts: KeyGateParts): KeyGate {
  return {
    open: ({ keyId }) => {
      if (!keyId.startsWith(KEY_ID_PREFIX)) return NO_CHARGE
      const entry = parts.ring.get(keyId)
      return entry === undefined ? GONE : openCharge(entry, parts)
    },
  }
}

/** The key was deleted while its request was on the way in, or in line. */
function keyGone(): GatewayError {
  return new GatewayError("unauthorized", "The API key is not known here.", { code: "invalid_api_key" })
}

const GONE: KeyCharge = {
  ...NO_CHARGE,
  admit: () => {
    throw keyGone()
  },
}

function openCharge(entry: KeyEntry, parts: KeyGateParts): KeyCharge {
  const { key, meter } = entry
  const { clock, lines } = parts
  let held: Held | undefined
  let hasPlace = false
  let isOver = false
  let isCarried = true

  function reserve(turn: KeyedTurn): void {
    // A request may have stood in line for a while: the key counts as it is by now.
    const current = parts.ring.get(key.id)
    if (current === undefined) throw keyGone()
    refuseEnded(current, clock())
    refuseModel(current.key, turn.request.model, turn.plan)
    meter.touch(clock())
    held = hold(current, turn, parts)
    meter.reserve(held.amounts)
    isCarried = parts.moving?.isOurs() ?? true
    parts.changed(entry)
  }

  async function reserveAfter(place: Promise<void>, turn: KeyedTurn): Promise<void> {
    await place
    if (isOver) return lines.leave(key.id)
    hasPlace = true
    reserve(turn)
  }

  return {
    scope: key.scope,
    admit: (turn, signal) => {
      if (held !== undefined) return undefined
      refuseModel(key, turn.request.model, turn.plan)
      const place = lines.enter(key.id, key.policy.limits?.concurrency, signal)
      if (place !== undefined) return reserveAfter(place, turn)
      hasPlace = true
      reserve(turn)
      return undefined
    },
    settle: outcome => {
      isOver = true
      if (hasPlace) lines.leave(key.id)
      if (held === undefined) return
      const nowMs = clock()
      const used = usedBy(outcome, held.weigh, parts.priceOf)
      meter.settle(held.amounts, used, nowMs)
      correctRate(held.limits, meter, amountOf(used, "tokens") - amountOf(held.amounts, "tokens"), nowMs)
      parts.changed(entry)
      parts.moving?.billed({ keyId: key.id, held: held.amounts, used, isCarried })
    },
  }
}
