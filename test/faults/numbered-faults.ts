/** The faults that gateways of this kind are known for, and what has to happen instead: the numbers that test titles begin with. */

/** One fault. Its behaviour is one line for people; `section` groups the generated page. */
export type NumberedFault = { readonly number: number; readonly behaviour: string; readonly section: FaultSection }

/** Headings of the generated page, in order. */
export const FAULT_SECTIONS = [
  "Quota and rate limits",
  "Availability",
  "Refresh",
  "Streams and retries",
  "Conversations",
  "Persistence",
  "Keys and egress",
] as const

/** A heading of the generated page. */
export type FaultSection = (typeof FAULT_SECTIONS)[number]

/** First and last number of each heading. */
const RANGES: Readonly<Record<FaultSection, readonly [number, number]>> = {
  "Quota and rate limits": [1, 15],
  Availability: [16, 24],
  Refresh: [25, 37],
  "Streams and retries": [38, 51],
  Conversations: [52, 60],
  Persistence: [61, 68],
  "Keys and egress": [69, 76],
}

const BEHAVIOURS: Readonly<Record<number, string>> = {
  1: "A usage limit that resets in days rests the account until then and no longer; a named quota rests its own models only",
  2: "The same refusal inside a 200 stream, or wrapped in a 5xx, is read as the same refusal",
  3: "A 429 without a code on an account that has just served: seconds of rest, one slot fewer, the request completes elsewhere",
  4: "“Concurrency limit exceeded” before output: asked again, the limit is learned, the client sees no failure",
  5: "A success that began before a newer 429 does not lift the block",
  6: "A reset in the past, in milliseconds, or weeks away on a window of hours is brought to something sensible",
  7: "A block that ends while nobody asks leaves the account ready without a request",
  8: "A window that the upstream resets early is noticed within one look at the usage endpoint",
  9: "A reset credit that is redeemed twice is spent once, and the block is judged anew",
  10: "A spent quota without a reset time is tried again on a ladder, and never rests for good",
  11: "Windows are told apart by their length, whichever slot they stand in, 30-day ones included",
  12: "Every account out of quota: one 429 with the earliest reset, and nothing goes upstream",
  13: "A thousand accounts that reset in one second are tried again over ten seconds and more",
  14: "A usage answer that was asked for before a 429 does not lift its block",
  15: "A refused account with the lowest weekly use is not picked again while its short window is spent",
  16: "A 503 on the only account that can serve does not keep the next request from it",
  17: "Every path answers 404 for a while: no account changes its state, and everything heals by itself",
  18: "401, 403 or 404 of the usage endpoint alone changes nothing about who serves",
  19: "A challenge page, with 200 or 403, blocks the way out and no account",
  20: "A burst of 529 and overload does not start the ladder of rate limits",
  21: "A 404 that names no model rests the model on that account for ten minutes at most",
  22: "An input that is too long is refused at once, with one account asked",
  23: "A deactivated workspace: its other seats are looked at, and none is written off unseen",
  24: "The operator's reset clears every kind of block",
  25: "A hundred 401s at once on one account cause one refresh",
  26: "Killed between the answer of a refresh and its commit: uncertain, then needs a sign-in with the reason; all others intact",
  27: "A full disk at the commit of a token: it survives in memory and in the journal, and no other refresh starts",
  28: "A client that leaves during the exchange of a token does not stop it",
  29: "429, 408, 5xx or HTML from the token endpoint is transient",
  30: "“Already used” while the disk holds a newer generation: the newer one is adopted",
  31: "An expired refresh token needs a sign-in, and the account is not asked for ever",
  32: "A second process on the same data directory refuses to start",
  33: "Two accounts that share a refresh token: one exchange, both renewed",
  34: "A refresh whose lock somebody else holds is planned again",
  35: "An expiry more than 24.8 days ahead does not fire at once",
  36: "While a token is being refreshed, the old one serves as long as it is valid",
  37: "Ten thousand expired accounts at the start: one refresh a second at most, those that are asked for first",
  38: "The upstream ends without a last event after output: a failure event, the account is not punished, the binding stays",
  39: "Minutes of silence upstream: the client hears heartbeats and nothing is cut by us",
  40: "Silence of more than ten seconds survives the server's own idle timer",
  41: "An upstream that closes after two silent minutes does not cost a second and a third account",
  42: "A failure before the first output is repaired where the client cannot see it",
  43: "A client that leaves, whenever it does, closes the upstream at once, frees the slot and causes no retry",
  44: "A client that stays and never reads: memory stays bounded and the slot comes free",
  45: "Hundreds of streams at once: none waits behind the runtime's own ceiling",
  46: "An empty answer is tried once more",
  47: "Three unlucky burst 429s of a large pool are served elsewhere or become 503, never 429",
  48: "A storm of 500s: the retry budget keeps the load within 1.2 times the requests",
  49: "A WebSocket that closes without a goodbye releases pool entry, slot, binding and resume state",
  50: "A WebSocket whose turn was aborted is never used again",
  51: "A WebSocket that has idled, or reached its age, is replaced between turns",
  52: "A conversation whose account is busy for a moment waits, and stays bound to it",
  53: "A conversation whose account is spent moves once, without what only that account can read",
  54: "Refused encrypted content is recognised by its message as well, and tried once without",
  55: "Two tenants with the same session id have different bindings and different sessions upstream",
  56: "A conversation that goes on for hours is never rebound by age",
  57: "A million session keys: memory stays capped and picking stays fast",
  58: "A bound account that the request has used up is not returned",
  59: "Use that crosses the soft ceiling in mid-conversation moves nobody",
  60: "A conversation on a slow account may leave it",
  61: "Killed under load: losses within what is stated, and sums equal to the rows",
  62: "One poisoned row goes to the dead letters, the rest is stored",
  63: "A log database that is gone or corrupt is made anew while the service runs",
  64: "A corrupt core database is never overwritten by an empty pool",
  65: "A reader that holds a transaction for a minute does not stop the writers",
  66: "An import of ten thousand accounts, half of them known, merges correctly and blocks for less than a second",
  67: "A migration that is interrupted leaves the old schema or the new one",
  68: "A wrong master key: the start is refused and nothing is touched",
  69: "Two hundred requests at once on a key with ten a minute: exactly ten are admitted",
  70: "Fifty requests at once on a small budget overshoot it by no more than the error of the estimate",
  71: "Trouble with the store of keys is a 503 and not a 401",
  72: "A proxy that is removed, disabled or unreadable: nothing goes out directly",
  73: "`NO_PROXY` and `ALL_PROXY` in the environment leak nothing",
  74: "A proxy password with special characters works",
  75: "Another proxy in the pool moves no account",
  76: "A dead proxy at connect: another account serves, and the first one's health is unchanged",
}

/** All of them, by number. */
export const NUMBERED_FAULTS: readonly NumberedFault[] = FAULT_SECTIONS.flatMap(section => {
  const [first, last] = RANGES[section]
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const number = first + index
    const behaviour = BEHAVIOURS[number]
    if (behaviour === undefined) throw new Error(`fault ${number} has no line`)
    return { number, behaviour, section }
  })
})
