/** Authorization code → tokens. */

import { compact } from "#accounts/formats/compact.ts"
import { numberAt, stringAt } from "#core/json.ts"

import { askService, errorCodeOf, refuseElsewhere, type ServiceAnswer, type SignInService } from "./ask-service.ts"
import { refuse, type SignInRefusal } from "./refusal.ts"

/** What proves that the code is ours; the address is the one the code was asked for with. */
export type CodeProof = { readonly code: string; readonly verifier: string; readonly redirectUri: string }

/** Tokens of a new sign-in. */
export type SignInTokens = {
  readonly accessToken: string
  readonly refreshToken?: string
  readonly idToken?: string
  /** Seconds the access token lives, when the answer says so; its own `exp` counts more. */
  readonly expiresInSec?: number
}

/** Exchanges a code, once: the service takes none twice. Rejects only when `signal` aborts. */
export async function exchangeCode(
  service: SignInService,
  proof: CodeProof,
  signal: AbortSignal,
): Promise<{ readonly type: "tokens"; readonly tokens: SignInTokens } | SignInRefusal> {
  const form = new URLSearchParams({
    grant_type: "authorization_code",
    code: proof.code,
    redirect_uri: proof.redirectUri,
    client_id: service.clientId,
    code_verifier: proof.verifier,
  })
  const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" }
  const url = `${service.issuer}/oauth/token`
  const answer = await askService(
    service,
    { method: "POST", url, headers, body: form.toString(), egress: undefined },
    signal,
  )
  if (answer.type === "refused") return answer
  return answer.status === 200 ? readTokens(answer) : refuseExchange(answer)
}

function readTokens({ body = {} }: ServiceAnswer): ReturnType<typeof withTokens> | SignInRefusal {
  const textAt = (key: string) => stringAt(body, key)?.trim() || undefined
  const accessToken = textAt("access_token")
  if (accessToken === undefined) {
    return refuse("no_tokens", "The sign-in service answered without an access token.", "Start the sign-in again.")
  }
  const rest = compact({
    refreshToken: textAt("refresh_token"),
    idToken: textAt("id_token"),
    expiresInSec: numberAt(body, "expires_in"),
  })
  return withTokens({ accessToken, ...rest })
}

function withTokens(tokens: SignInTokens) {
  return { type: "tokens", tokens } as const
}

function refuseExchange(answer: ServiceAnswer): SignInRefusal {
  const elsewhere = refuseElsewhere(answer)
  if (elsewhere !== undefined) return elsewhere
  const code = errorCodeOf(answer) ?? `status_${answer.status}`
  switch (code) {
    case "invalid_grant":
      return refuse(
        code,
        "The code was not accepted: it was used before, is too old, or belongs to another sign-in.",
        "Start the sign-in again; a code works once and for a few minutes.",
      )
    case "invalid_client":
    case "unauthorized_client":
      return refuse(
        code,
        "The sign-in service does not know this client id.",
        "Check `oauth.client-id` and `oauth.issuer`.",
      )
    default:
      return refuse(
        code,
        `The sign-in service refused the code (${code}, status ${answer.status}).`,
        "Start the sign-in again; if it stays so, check `oauth.issuer` and `oauth.client-id`.",
      )
  }
}
