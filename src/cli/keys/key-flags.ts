/** Flags of `sluice keys create` and `set`, and the order they make. */

import { flagValue } from "#cli/accounts/verb.ts"
import type { CommandLine, OwnFlags } from "#config/flag-layer.ts"
import { GatewayError } from "#core/errors.ts"
import type { KeyOrder } from "#gateway/desk/key-order.ts"
import { type KeyLimits, LIMITS, type NameRule, WINDOWS, type WindowName } from "#gateway/keys/key-policy.ts"

/** The flags. */
export const KEY_FLAGS: OwnFlags = {
  "--owner": "value",
  "--note": "value",
  "--expires": "value",
  "--expires-after-first-use": "value",
  "--allow-models": "list",
  "--deny-models": "list",
  "--allow-tags": "list",
  "--deny-tags": "list",
  "--allow-plans": "list",
  "--deny-plans": "list",
  "--addresses": "list",
  "--limit": "list",
}

/** What the help of both verbs says of them. */
export const KEY_FLAGS_HELP = `  --owner TEXT, --note TEXT
  --expires WHEN                  2027-01-31, 2027-01-31T12:00:00Z, or a span from now: 12h, 30d
  --expires-after-first-use SPAN  begins when the key is first used: 12h, 30d
  --allow-models NAMES            these models and no others, with * for any text; --deny-models all but these
  --allow-tags NAMES              accounts with one of these tags; --deny-tags none with one of these
  --allow-plans NAMES             accounts on one of these plans; --deny-plans none on one of these
  --addresses RANGES              clients from these addresses: 192.0.2.7, 10.0.0.0/8
  --limit NAME=NUMBER             rpm, tpm (requests and tokens a minute), rpd (requests a day), concurrency, or
                                  WINDOW.QUANTITY: 5h, 7d, 30d, day, total and requests, input_tokens, output_tokens,
                                  tokens, cost_usd; such as 5h.cost_usd=2.5. An empty number takes a limit away
  Lists take commas, or the flag several times. "" takes back what was set.
`

/** What is known of a key before the order. */
export type KeyBefore = {
  readonly models: NameRule | null | undefined
  readonly tags: NameRule | null | undefined
  readonly plans: NameRule | null | undefined
  readonly limits: KeyLimits | null
}

/** A key that does not exist yet. */
export const NEW_KEY: KeyBefore = { models: null, tags: null, plans: null, limits: null }

/** Makes the order. Throws `invalid-request` for a flag that says nothing. */
export function orderOf(line: CommandLine, before: KeyBefore, nowMs: number): KeyOrder {
  const owner = flagValue(line, "--owner")
  const note = flagValue(line, "--note")
  const expires = flagValue(line, "--expires")
  const afterUse = flagValue(line, "--expires-after-first-use")
  const addresses = listOf(line, "--addresses")
  const limits = listOf(line, "--limit")
  return {
    ...(owner !== undefined && { owner: owner === "" ? null : owner }),
    ...(note !== undefined && { note: note === "" ? null : note }),
    ...(expires !== undefined && { expires_at: expires === "" ? null : momentOf(expires, nowMs) }),
    ...(afterUse !== undefined && {
      expires_after_first_use_sec: afterUse === "" ? null : spanSecOf(afterUse, "--expires-after-first-use"),
    }),
    ...ruleOf(line, "models", before.models),
    ...ruleOf(line, "tags", before.tags),
    ...ruleOf(line, "plans", before.plans),
    ...(addresses !== undefined && { addresses: addresses.length === 0 ? null : [...addresses] }),
    ...(limits !== undefined && { limits: limitsOf(limits, before.limits ?? {}) }),
  }
}

function listOf(line: CommandLine, flag: `--${string}`): readonly string[] | undefined {
  return flagValue(line, flag)
    ?.split(",")
    .map(text => text.trim())
    .filter(text => text !== "")
}

function ruleOf(line: CommandLine, name: "models" | "tags" | "plans", before: NameRule | null | undefined): KeyOrder {
  const allow = listOf(line, `--allow-${name}`)
  const deny = listOf(line, `--deny-${name}`)
  if (allow === undefined && deny === undefined) return {}
  const rule = { allow: [...(allow ?? before?.allow ?? [])], deny: [...(deny ?? before?.deny ?? [])] }
  return { [name]: rule.allow.length + rule.deny.length === 0 ? null : rule }
}

const UNIT_SEC: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

function spanSecOf(text: string, flag: string): number {
  const [, count, unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const unitSec = UNIT_SEC[unit]
  if (count !== undefined && unitSec !== undefined && Number(count) > 0) return Number(count) * unitSec
  throw new GatewayError("invalid-request", `${flag}: expected a span of time, got "${text}".`, {
    hint: "For example 90m, 12h or 30d.",
  })
}

function momentOf(text: string, nowMs: number): string {
  if (/^\d+[smhd]$/.test(text)) return new Date(nowMs + spanSecOf(text, "--expires") * 1000).toISOString()
  const atMs = Date.parse(text)
  if (Number.isFinite(atMs)) return new Date(atMs).toISOString()
  throw new GatewayError("invalid-request", `--expires: expected a date or a span of time, got "${text}".`, {
    hint: "For example 2027-01-31, 2027-01-31T12:00:00Z or 30d.",
  })
}

type Draft = Record<string, number | Record<string, number>>

function limitsOf(texts: readonly string[], before: KeyLimits): KeyLimits {
  const draft: Draft = structuredClone(before)
  for (const text of texts) setLimit(draft, text)
  // The gateway checks names and numbers; here only the form was read.
  return draft as KeyLimits
}

function setLimit(draft: Draft, text: string): void {
  const [, name = "", quantity, number] = /^([0-9a-z]+)(?:\.([a-z_]+))?=(.*)$/.exec(text) ?? []
  const isWindow = WINDOWS.some(window => window === name)
  const isKnown = Object.hasOwn(LIMITS.properties, name) && isWindow === (quantity !== undefined)
  if (!isKnown || number === undefined || !/^(\d+(\.\d+)?)?$/.test(number)) throw badLimit(text)
  if (quantity === undefined) put(draft, name, number)
  else putIn(draft, name as WindowName, { quantity, number })
}

function putIn(draft: Draft, window: WindowName, cap: { readonly quantity: string; readonly number: string }): void {
  const caps: Record<string, number> = { ...(draft[window] as Record<string, number> | undefined) }
  put(caps, cap.quantity, cap.number)
  if (Object.keys(caps).length === 0) delete draft[window]
  else draft[window] = caps
}

function put(into: Draft | Record<string, number>, name: string, number: string): void {
  if (number === "") delete into[name]
  else into[name] = Number(number)
}

function badLimit(text: string): GatewayError {
  return new GatewayError("invalid-request", `--limit: cannot read "${text}".`, {
    hint: "For example --limit rpm=60 --limit 5h.cost_usd=2.5; `sluice keys set --help` lists the names.",
  })
}
