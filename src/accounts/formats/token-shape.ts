/** What a token's outside tells: access token, refresh token, API key, or something of another service. */

/** What a bare token is, by its shape alone. */
export type TokenShape = "access-token" | "refresh-token" | "api-key" | "encrypted" | "unknown"

/** Prefixes that other services put before their tokens, for example https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/. */
const FOREIGN_PREFIXES: readonly (readonly [prefix: string, vendor: string])[] = [
  ["sk-ant-", "Anthropic"],
  ["sk-or-", "OpenRouter"],
  ["ya29.", "Google"],
  ["1//", "Google"],
  ["AIza", "Google"],
  ["ghp_", "GitHub"],
  ["gho_", "GitHub"],
  ["ghu_", "GitHub"],
  ["ghr_", "GitHub"],
  ["github_pat_", "GitHub"],
  ["xai-", "xAI"],
  ["gsk_", "Groq"],
  ["hf_", "Hugging Face"],
]

/** Names the service whose prefix the token carries; undefined for ours, for opaque ones and for none. */
export function foreignVendor(token: string | undefined): string | undefined {
  if (token === undefined) return undefined
  return FOREIGN_PREFIXES.find(([prefix]) => token.startsWith(prefix))?.[1]
}

/** Refresh tokens of the sign-in service begin in one of these ways. */
const REFRESH_PREFIXES = ["rt_", "rt.", "oaistb_rt_"] as const

/** True for the three parts of a signed token; https://www.rfc-editor.org/rfc/rfc7519. */
export function isSignedToken(token: string): boolean {
  return token.startsWith("eyJ") && token.split(".").length === 3
}

/** Tells what a bare token is. */
export function shapeOfToken(token: string): TokenShape {
  if (REFRESH_PREFIXES.some(prefix => token.startsWith(prefix))) return "refresh-token"
  if (isSignedToken(token)) return "access-token"
  // Five parts are an encrypted token, such as the session cookie of the web page; RFC 7516.
  if (token.startsWith("eyJ") && token.split(".").length === 5) return "encrypted"
  return token.startsWith("sk-") && foreignVendor(token) === undefined ? "api-key" : "unknown"
}
