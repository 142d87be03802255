/** The address of the sign-in page. */

/** What the page is asked for. `issuer` has no slash at its end. */
export type AuthorizeRequest = {
  readonly issuer: string
  readonly clientId: string
  readonly redirectUri: string
  readonly challenge: string
  readonly state: string
  readonly originator: string
}

/** Who the account is, and a refresh token; nothing more is used. */
const SCOPE = "openid profile email offline_access"

/**
 * Returns the address to open. The parameters are those of the Codex client (codex-rs/login/src/server.rs in
 * https://github.com/openai/codex), with `prompt=login`: a browser that is signed in already would else hand over the
 * same account again, without a word.
 */
export function authorizeUrl(request: AuthorizeRequest): string {
  const query: readonly (readonly [string, string])[] = [
    ["response_type", "code"],
    ["client_id", request.clientId],
    ["redirect_uri", request.redirectUri],
    ["scope", SCOPE],
    ["code_challenge", request.challenge],
    ["code_challenge_method", "S256"],
    ["id_token_add_organizations", "true"],
    ["codex_cli_simplified_flow", "true"],
    ["state", request.state],
    ["originator", request.originator],
    ["prompt", "login"],
  ]
  // Not URLSearchParams: it writes spaces as `+`, which the page has been seen to take literally.
  const text = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")
  return `${request.issuer}/oauth/authorize?${text}`
}
