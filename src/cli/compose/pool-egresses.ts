/** The ways out that accounts of `credential-pool.codex` have of their own. */

import type { PoolEntry } from "#config/account-sources.ts"
import { GatewayError } from "#core/errors.ts"
import { type Egress, parseEgress } from "#transport/egress.ts"

/**
 * Returns the way out of every entry that names a proxy and is in use, by the entry's id. Throws `upstream-unavailable`
 * for a proxy that cannot be used, naming the entry: its account must never take another way.
 */
export function poolEgresses(entries: readonly PoolEntry[]): ReadonlyMap<string, Egress> {
  const egresses = new Map<string, Egress>()
  for (const { id, isDisabled, proxyUrl } of entries) {
    if (!isDisabled && proxyUrl !== undefined) egresses.set(id, readEgress(id, proxyUrl))
  }
  return egresses
}

function readEgress(id: string, proxyUrl: string): Egress {
  try {
    return parseEgress(proxyUrl)
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause
    const { kind, code, hint } = cause
    throw new GatewayError(kind, `credential-pool.codex, entry "${id}": ${cause.message}`, {
      ...(code !== undefined && { code }),
      ...(hint !== undefined && { hint: hint.replace("proxy-url", "its proxy_url") }),
      cause,
    })
  }
}
