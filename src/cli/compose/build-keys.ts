/** Client keys that are stored: the ring, their lines and meters, and what writes their usage down. */

import type { Sealer } from "#accounts/secrets/seal.ts"
import { parseRange } from "#core/address-range.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { type KeyGate, makeKeyGate } from "#gateway/keys/key-gate.ts"
import { type KeyLines, makeKeyLines } from "#gateway/keys/key-line.ts"
import { type KeyRing, makeKeyRing } from "#gateway/keys/key-ring.ts"
import { makePriceOf } from "#gateway/keys/prices.ts"
import { makeStoredKeys, type StoredKeys } from "#gateway/keys/stored-keys.ts"
import { makeUsageKeeper, type UsageKeeper } from "#gateway/keys/usage-keeper.ts"

import type { GatewayContext } from "./gateway-context.ts"
import { randomBytes } from "./random-bytes.ts"

/** What the keys are built from. */
export type BuildKeysParts = Pick<GatewayContext, "config" | "store" | "reportFailure" | "tenure"> & {
  readonly sealer: Sealer
  /** True: requests of the process before this one are still running. */
  readonly carriesReservations: boolean
}

/** The keys. */
export type BuiltKeys = {
  readonly ring: KeyRing
  readonly lines: KeyLines
  readonly gate: KeyGate
  readonly stored: StoredKeys
  readonly keeper: UsageKeeper
}

/** Builds them; a store that cannot be read is reported and does not stop a start. */
export function buildKeys({ config, store, sealer, reportFailure, tenure, ...parts }: BuildKeysParts): BuiltKeys {
  const shared = { clock: systemClock, timers: systemTimers, reportFailure }
  const ring = makeKeyRing({ ...shared, rows: store, sealer, random: randomBytes, ...parts })
  const keeper = makeUsageKeeper({ ...shared, rows: store })
  const lines = makeKeyLines({ ...shared, timeoutMs: () => config().queue.timeoutMs })
  return {
    ring,
    lines,
    keeper,
    gate: makeKeyGate({
      clock: systemClock,
      ring,
      lines,
      priceOf: makePriceOf(() => config().prices),
      changed: keeper.changed,
      moving: { isOurs: () => tenure.phase() === "ours", billed: bill => tenure.tell({ type: "bill", bill }) },
    }),
    stored: makeStoredKeys({
      clock: systemClock,
      ring,
      isRequired: () => config().clientKeys.required,
      trustedProxies: () =>
        config()
          .clientKeys.trustedProxies.map(parseRange)
          .filter(range => range !== undefined),
    }),
  }
}
