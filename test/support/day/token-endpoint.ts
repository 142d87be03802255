/** The sign-in service of the day: refresh tokens work exactly once, and for a while in the night nobody gets anything. */

import { parseJsonObject, stringAt } from "#core/json.ts"
import type { UpstreamReply } from "#core/upstream.ts"
import type { World } from "#simulator/world.ts"

import { isWithin, TOKEN_OUTAGE } from "./calendar.ts"
import { jsonReply } from "./replies.ts"

/** Tokens that are handed out during the day hold this long, but for accounts whose tokens hold an hour. */
const LIFETIME_SEC = 864_000
const HOUR_SEC = 3600

const CODE_BY_STATE = {
  used: "refresh_token_reused",
  expired: "refresh_token_expired",
  invalidated: "refresh_token_invalidated",
} as const

/** Answers one exchange. */
export function exchangeToken(world: World, bodyText: string, nowMs: number): UpstreamReply {
  if (isWithin(TOKEN_OUTAGE, nowMs)) return jsonReply(503, { error: "temporarily_unavailable" })
  const token = stringAt(parseJsonObject(bodyText) ?? {}, "refresh_token") ?? ""
  const known = world.sessions.readRefresh(token)
  if (known === undefined) return refusal("refresh_token_invalidated")
  const account = world.accounts.get(known.name)
  if (account.lifecycle === "deactivated") return refusal("account_deactivated")
  if (known.state !== "live") return refusal(CODE_BY_STATE[known.state])
  world.sessions.consume(token)
  const accessLifetimeSec = account.accessLifetimeSec === HOUR_SEC ? HOUR_SEC : LIFETIME_SEC
  const { accessToken, idToken, refreshToken } = world.sessions.issue(
    world.accounts.update(account.name, { accessLifetimeSec }),
  )
  return jsonReply(200, {
    access_token: accessToken,
    id_token: idToken,
    refresh_token: refreshToken,
    expires_in: accessLifetimeSec,
  })
}

function refusal(code: string): UpstreamReply {
  return jsonReply(401, { error: { code, message: "Please try signing in again.", type: "invalid_request_error" } })
}
