/** What operators order for a client key, and the key that comes of it. */

import { parseRange } from "#core/address-range.ts"
import { GatewayError } from "#core/errors.ts"
import type { ClientKeyFacts } from "#gateway/keys/client-key.ts"
import type { KeyPolicy } from "#gateway/keys/key-policy.ts"

/** What an order says of a key. Absent = stays, null = none. Times are RFC 3339. */
export type KeyOrder = {
  readonly name?: string
  readonly owner?: string | null
  readonly note?: string | null
  readonly enabled?: boolean
  readonly expires_at?: string | null
  readonly expires_after_first_use_sec?: number | null
} & { readonly [Part in keyof KeyPolicy]?: KeyPolicy[Part] | null }

/** The key after an order. Throws `invalid-request` for a time or an address that is none. */
export function applied(key: ClientKeyFacts, order: KeyOrder): ClientKeyFacts {
  const {
    name,
    owner,
    note,
    enabled,
    expires_at: expiresAt,
    expires_after_first_use_sec: afterUseSec,
    ...policy
  } = order
  const merged = Object.entries({ ...key.policy, ...policy }).filter(([, part]) => part !== null && part !== undefined)
  for (const text of policy.addresses ?? []) checkRange(text)
  return {
    ...key,
    name: name ?? key.name,
    owner: owner === undefined ? key.owner : (owner ?? undefined),
    note: note === undefined ? key.note : (note ?? undefined),
    enabled: enabled ?? key.enabled,
    expiresAtMs: expiresAt === undefined ? key.expiresAtMs : momentOf(expiresAt),
    expiresAfterUseMs:
      afterUseSec === undefined ? key.expiresAfterUseMs : afterUseSec === null ? undefined : afterUseSec * 1000,
    // Filtered by value only: the parts are those of a policy and of an order that was checked.
    policy: Object.fromEntries(merged) as KeyPolicy,
  }
}

function momentOf(text: string | null): number | undefined {
  if (text === null) return undefined
  const atMs = Date.parse(text)
  if (Number.isFinite(atMs)) return atMs
  throw new GatewayError("invalid-request", "`expires_at`: expected a date and time.", {
    code: "invalid_order",
    hint: "For example 2027-01-31T00:00:00Z.",
  })
}

function checkRange(text: string): void {
  if (parseRange(text) !== undefined) return
  throw new GatewayError(
    "invalid-request",
    `\`addresses\`: ${JSON.stringify(text)} is neither an address nor a range.`,
    {
      code: "invalid_order",
      hint: "For example 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32.",
    },
  )
}
