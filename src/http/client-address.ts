/** Where a client is: the other end of the connection, or what a reverse proxy that is trusted says of it. */

import { type AddressRange, isInRanges, parseAddress } from "#core/address-range.ts"

/**
 * Returns the address; undefined when nobody knows it. `X-Forwarded-For` is read from its end, where the nearest proxy has
 * written, up to the first address that is no trusted proxy: whatever stands before that a client may have made up.
 */
export function clientAddress(
  headers: Headers,
  peer: string | undefined,
  trusted: readonly AddressRange[],
): bigint | undefined {
  const direct = peer === undefined ? undefined : parseAddress(peer)
  const forwarded = headers.get("x-forwarded-for")
  if (direct === undefined || forwarded === null || !isInRanges(direct, trusted)) return direct
  for (const hop of forwarded.split(",").reverse()) {
    const address = parseAddress(withoutPort(hop.trim()))
    if (address === undefined || !isInRanges(address, trusted)) return address
  }
  return direct
}

/** Some proxies write the port of the connection as well. */
function withoutPort(hop: string): string {
  const [, bracketed, ipv4] = /^(?:(\[[^\]]+\])|(\d+\.\d+\.\d+\.\d+)):\d+$/.exec(hop) ?? []
  return bracketed ?? ipv4 ?? hop
}
