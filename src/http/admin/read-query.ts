/** Values of an address's query, checked. */

import { GatewayError } from "#core/errors.ts"

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

function refuse(name: string, expected: string): GatewayError {
  return new GatewayError("invalid-request", `\`${name}\`: expected ${expected}.`, {
    code: "invalid_query",
    hint: "docs/admin-api.md lists what each route takes.",
  })
}

/** Reads a time: RFC 3339, or how long ago (`30m`, `24h`, `7d`). Undefined when it is not given. Throws `invalid-request`. */
export function readTime(query: URLSearchParams, name: string, nowMs: number): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const ago = /^(\d{1,6})([mhd])$/.exec(text)
  // The pattern allows these three units only.
  if (ago !== null) return nowMs - Number(ago[1]) * UNIT_MS[ago[2] as keyof typeof UNIT_MS]
  const atMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(atMs)) throw refuse(name, "a time such as 2026-11-21T13:00:00Z, or 30m, 24h or 7d for how long ago")
  return atMs
}

/** Reads a whole number from 1 to `most`. */
export function readCount(
  query: URLSearchParams,
  name: string,
  { otherwise, most }: { readonly otherwise: number; readonly most: number },
): number {
  const text = query.get(name)
  if (text === null) return otherwise
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (count < 1 || count > most) throw refuse(name, `a whole number from 1 to ${most}`)
  return count
}

/** Reads one of a few words; the first of them when it is not given. */
export function readChoice<const Word extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly [Word, ...Word[]],
): Word {
  const text = query.get(name)
  if (text === null) return words[0]
  const found = words.find(word => word === text)
  if (found === undefined) throw refuse(name, `one of ${words.join(", ")}`)
  return found
}
