/** Ranges of addresses (`10.0.0.0/8`, `2001:db8::/32`, single ones), and whether an address lies in one. */

/** A range: the bits that count of the first address, as a number, and how many there are. IPv4 stands inside IPv6. */
export type AddressRange = { readonly base: bigint; readonly shift: bigint }

const IPV6_BITS = 128
const IPV4_BITS = 32
/** `::ffff:0:0/96`, where IPv6 keeps the addresses of IPv4 (RFC 4291 section 2.5.5.2). */
const IPV4_BASE = 0xffff00000000n

/** Reads a range or a single address; undefined for anything else. */
export function parseRange(text: string): AddressRange | undefined {
  const [addressText = "", bitsText, ...rest] = text.trim().split("/")
  const address = parseAddress(addressText)
  if (address === undefined || rest.length > 0) return undefined
  const isIpv4 = !addressText.includes(":")
  const widthBits = isIpv4 ? IPV4_BITS : IPV6_BITS
  const bits = bitsText === undefined ? widthBits : /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : Number.NaN
  if (!(bits <= widthBits)) return undefined
  const shift = BigInt(widthBits - bits)
  return { base: address >> shift, shift }
}

/** Reads an address as a number; undefined for what is none. A zone (`%eth0`) does not count. */
export function parseAddress(text: string): bigint | undefined {
  const bare = text
    .trim()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/%.*$/, "")
  if (!bare.includes(":")) {
    const ipv4 = parseIpv4(bare)
    return ipv4 === undefined ? undefined : IPV4_BASE | ipv4
  }
  return parseIpv6(bare)
}

/** True when the address lies in one of the ranges. */
export function isInRanges(address: bigint, ranges: readonly AddressRange[]): boolean {
  return ranges.some(({ base, shift }) => address >> shift === base)
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".")
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return value
}

/** The last two groups may be written as IPv4. */
function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::")
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0] ?? "")
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? "") : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail]
  return groups.reduce((value, group) => (value << 16n) | group, 0n)
}

function groupsOf(text: string): readonly bigint[] | undefined {
  if (text === "") return []
  const groups: bigint[] = []
  const parts = text.split(":")
  for (const [index, part] of parts.entries()) {
    const ipv4 = index === parts.length - 1 && part.includes(".") ? parseIpv4(part) : undefined
    if (ipv4 !== undefined) groups.push(ipv4 >> 16n, ipv4 & 0xffffn)
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`))
    else return undefined
  }
  return groups
}
