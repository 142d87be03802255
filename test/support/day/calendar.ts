/** What happens on the day, and when: load, bursts, outages, proxies that die. Times are hours after midnight. */

const HOUR_MS = 3_600_000

/** Midnight of the day, milliseconds since the epoch. */
export const MIDNIGHT_MS = Math.floor(1_800_000_000_000 / (24 * HOUR_MS)) * 24 * HOUR_MS

/** From one moment up to another, milliseconds since the epoch. */
export type Span = { readonly fromMs: number; readonly toMs: number }

/** The upstream serves nobody and breaks answers under way off, this share of them. */
type Outage = Span & { readonly status: 503 | 404; readonly cuts: number }

/** A proxy refuses every connection; `code` is what the runtime throws, `afterMs` how long that takes. */
type ProxyDeath = Span & { readonly proxy: string; readonly code: string; readonly afterMs: number }

/** One client key asks for many things at once, as a build that starts a hundred agents does. */
type Burst = { readonly atMs: number; readonly lastsMs: number; readonly share: number; readonly model: Model }

/** What the day's clients ask for: the second is in few plans. */
export type Model = "gpt-5.5" | "gpt-5.3-codex-spark"

export const COMMON_MODEL = "gpt-5.5"
export const RARE_MODEL = "gpt-5.3-codex-spark"

const at = (hour: number) => MIDNIGHT_MS + hour * HOUR_MS
const span = (hour: number, minutes: number): Span => ({ fromMs: at(hour), toMs: at(hour + minutes / 60) })

/** The first answers 503 and ends every answer, the second 404 on every path; both hit all accounts. */
export const OUTAGES: readonly Outage[] = [
  { ...span(9 + 40 / 60, 5), status: 503, cuts: 1 },
  { ...span(14 + 20 / 60, 4), status: 404, cuts: 0.5 },
]

/** One request in seven fails before it has put anything out, on any account. */
export const BROWNOUT: Span & { readonly share: number } = { ...span(15.5, 20), share: 0.15 }

/** Nobody gets a new token. */
export const TOKEN_OUTAGE: Span = span(2, 10)

/** One is away for three hours, one for the rest of the day. */
const PROXY_DEATHS: readonly ProxyDeath[] = [
  { ...span(11, 180), proxy: "proxy-1", code: "ERR_PROXY_TUNNEL", afterMs: 60 },
  { ...span(13, 24 * 60), proxy: "proxy-2", code: "EHOSTUNREACH", afterMs: 3_000 },
]

/** A company spends the short windows of all its seats past the gateway, at once, */
export const SEATS_SPENT_MS = at(15.5)
/** and they all reset in this second. */
export const SHARED_RESET_MS = at(16)

/** `share` is of the requests of an average hour. */
export const BURSTS: readonly Burst[] = [
  { atMs: at(10.25), lastsMs: 30_000, share: 0.3, model: COMMON_MODEL },
  { atMs: at(10.75), lastsMs: 40_000, share: 0.4, model: RARE_MODEL },
  { atMs: at(12.5), lastsMs: 20_000, share: 0.3, model: COMMON_MODEL },
  { atMs: at(15), lastsMs: 60_000, share: 0.5, model: COMMON_MODEL },
  { atMs: at(17.75), lastsMs: 40_000, share: 0.4, model: RARE_MODEL },
  { atMs: at(20.5), lastsMs: 30_000, share: 0.3, model: COMMON_MODEL },
]

/** Load by the hour, 1 on average: a quiet night, two humps, a long evening. */
const LOAD_BY_HOUR = [
  0.25, 0.2, 0.15, 0.15, 0.2, 0.35, 0.6, 0.9, 1.3, 1.7, 1.9, 1.8, 1.5, 1.6, 1.9, 2.0, 1.9, 1.6, 1.3, 1.2, 1.1, 0.9, 0.7,
  0.4,
]
const MEAN_LOAD = LOAD_BY_HOUR.reduce((sum, load) => sum + load, 0) / LOAD_BY_HOUR.length

/** The most that {@link loadAt} returns. */
export const PEAK_LOAD = Math.max(...LOAD_BY_HOUR) / MEAN_LOAD

/** Load at a moment, 1 on the day's average; between full hours it moves in a straight line. */
export function loadAt(timeMs: number): number {
  const hour = (timeMs - MIDNIGHT_MS) / HOUR_MS
  const before = Math.floor(hour)
  const [left = 0, right = 0] = [LOAD_BY_HOUR[before % 24], LOAD_BY_HOUR[(before + 1) % 24]]
  return (left + (right - left) * (hour - before)) / MEAN_LOAD
}

/** True within the span. */
export function isWithin({ fromMs, toMs }: Span, timeMs: number): boolean {
  return timeMs >= fromMs && timeMs < toMs
}

/** The outage of this moment. */
export function outageAt(timeMs: number): Outage | undefined {
  return OUTAGES.find(outage => isWithin(outage, timeMs))
}

/** How this proxy fails at this moment; undefined = it works. */
export function deathOf(proxy: string | undefined, timeMs: number): ProxyDeath | undefined {
  return proxy === undefined ? undefined : PROXY_DEATHS.find(death => death.proxy === proxy && isWithin(death, timeMs))
}
