/** Codes of the token endpoint and of the network, sorted by what they prove. */

/** The refresh token or its session is finished. Sources: https://github.com/openai/codex (login), RFC 6749 §5.2. */
const PERMANENT_CODES: ReadonlySet<string> = new Set([
  "invalid_grant",
  "refresh_token_expired",
  "refresh_token_reused",
  "refresh_token_invalidated",
  "token_expired",
  "token_invalidated",
  "app_session_terminated",
  "account_session_expired",
  "access_denied",
])

/** The account or its workspace is closed; signing in again does not help by itself. */
const SUSPENDED_CODES: ReadonlySet<string> = new Set(["account_deactivated", "account_suspended", "account_deleted"])

/**
 * Network errors after which nothing can have reached the endpoint: name resolution, refused or unreachable connects,
 * failed TLS handshakes and refused proxy tunnels. Everything else may have been carried out.
 */
export const NOT_SENT_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ConnectionRefused",
  "FailedToOpenSocket",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "UnsupportedProxyProtocol",
  "ERR_PROXY_TUNNEL",
  "unknown-egress",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
])

/** True when only a new sign-in helps. */
export function isPermanentCode(code: string): boolean {
  return PERMANENT_CODES.has(code)
}

/** True when the account itself was closed. */
export function isSuspendedCode(code: string): boolean {
  return SUSPENDED_CODES.has(code)
}

/** True when the token was used before: by us without seeing the answer, or by somebody else. */
export function isReusedCode(code: string): boolean {
  return code === "refresh_token_reused"
}
