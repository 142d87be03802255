/** Takes secrets and account identities out of foreign texts before anyone sees them. */

/** Longest foreign text shown to a client, in characters. */
const MAX_MESSAGE_CHARACTERS = 2048

/** In this order: longer secrets first, so that a rule does not see another one's leftovers. */
const SCRUBS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?/g, "[token]"],
  [/\bgAAAA[\w-]{16,}={0,2}/g, "[encrypted]"],
  [/\bBearer\s+[\w.~+/-]{8,}=*/gi, "Bearer [token]"],
  [/\b(sk|sess|rt|oaistb_rt)[-_][\w*.-]{6,}/g, "[token]"],
  [/\bat-[A-Za-z0-9]{16,}/g, "[token]"],
  [/[\w.%+-]+@[\w-]+(\.[\w-]+)+/g, "[e-mail]"],
  [/\b(user|org|acct|proj|account|workspace)-(?=[A-Za-z]*\d)[A-Za-z0-9]{8,}/g, "[account]"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "[id]"],
]

/** Returns `text` trimmed, cut to {@link MAX_MESSAGE_CHARACTERS}, without tokens, e-mail addresses and account ids. */
export function scrubText(text: string): string {
  // Cut first: the patterns then run over a bounded text.
  let clean = text.slice(0, 2 * MAX_MESSAGE_CHARACTERS).trim()
  for (const [pattern, replacement] of SCRUBS) clean = clean.replace(pattern, replacement)
  return clean.length > MAX_MESSAGE_CHARACTERS ? `${clean.slice(0, MAX_MESSAGE_CHARACTERS - 1)}…` : clean
}
