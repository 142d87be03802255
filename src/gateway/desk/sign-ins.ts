/** Sign-ins that operators start over HTTP: each waits for its answer for a while, counts once, and can be called off. */

import { accountOfTokens } from "#accounts/sign-in/account-of-tokens.ts"
import type { SignInService } from "#accounts/sign-in/ask-service.ts"
import { startDeviceLogin } from "#accounts/sign-in/device-flow.ts"
import { type CodeProof, exchangeCode } from "#accounts/sign-in/exchange-code.ts"
import { parseCallback } from "#accounts/sign-in/parse-callback.ts"
import { type PendingLogin, startLogin } from "#accounts/sign-in/pending-login.ts"
import type { Clock } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { makeId, type RandomBytes } from "#core/ids.ts"

import type { AccountReport } from "./account-report.ts"
import { type DevicePoll, makeDevicePoll, type PollReport } from "./device-poll.ts"
import { refusalError } from "./sign-in-refusal.ts"

/** A sign-in in a browser on any machine. */
export type StartedSignIn = {
  readonly login_id: string
  /** Where the user signs in. */
  readonly url: string
  /** Where the browser ends; nobody has to listen there, its address is what {@link SignIns.finish} wants. */
  readonly redirect_uri: string
  readonly expires_at: string
}

/** A sign-in by a code that is typed in on another device. */
export type StartedDeviceSignIn = {
  readonly login_id: string
  readonly verification_url: string
  readonly user_code: string
  /** Asking more often changes nothing. */
  readonly interval_sec: number
  readonly expires_at: string
}

/** Sign-ins under way. All reject with `not-found` for an id that is not or no longer known. */
export type SignIns = {
  readonly start: () => StartedSignIn
  /** Takes the address the browser ended on, or the code in it. Rejects with what the sign-in service or the store refuses. */
  readonly finish: (loginId: string, callback: string) => Promise<AccountReport>
  /** Rejects with what the sign-in service refuses. */
  readonly startDevice: () => Promise<StartedDeviceSignIn>
  readonly pollDevice: (loginId: string) => Promise<PollReport>
  /** Ends an exchange that is under way as well. */
  readonly cancel: (loginId: string) => void
}

/** What signing in needs of the surroundings. */
export type SignInParts = {
  /** Asked at each start, so that changed settings take effect. */
  readonly service: () => SignInService
  readonly originator: () => string
  readonly random: RandomBytes
}

type SignInsParts = SignInParts & {
  readonly clock: Clock
  /** Puts a new account where it serves. Rejects with what stands in the way. */
  readonly save: (text: string) => Promise<AccountReport>
}

/** The only address, besides its fall-back port, that the sign-in service sends browsers of this client id to. */
const REDIRECT_URI = "http://localhost:1455/auth/callback"

/** Sign-ins that wait at a time; one more pushes the oldest out. */
const MAX_WAITING = 32

type Waiting = {
  readonly expiresAtMs: number
  readonly abort: AbortController
  readonly way:
    | { readonly type: "browser"; readonly login: PendingLogin; readonly service: SignInService }
    | { readonly type: "device"; readonly poll: DevicePoll }
}

/** The sign-ins by id, never more than {@link MAX_WAITING}. */
function makeWaitingRoom({ clock, random }: Pick<SignInsParts, "clock" | "random">) {
  const waiting = new Map<string, Waiting>()
  const drop = (id: string, one: Waiting): void => {
    waiting.delete(id)
    one.abort.abort(new GatewayError("cancelled", "The sign-in was called off."))
  }
  return {
    add: (one: Waiting): string => {
      for (const [id, other] of waiting) if (clock() >= other.expiresAtMs) drop(id, other)
      for (const [id, other] of waiting) if (waiting.size >= MAX_WAITING) drop(id, other)
      const id = makeId("login_", random, 16)
      waiting.set(id, one)
      return id
    },
    find: (id: string): Waiting => {
      const found = waiting.get(id)
      if (found !== undefined) return found
      throw new GatewayError("not-found", "There is no sign-in of that id.", {
        code: "login_not_found",
        hint: "It has expired, was called off, or the gateway was started anew: start the sign-in again.",
      })
    },
    drop,
  }
}

function otherWay(route: string): GatewayError {
  return new GatewayError("invalid-request", "This sign-in goes another way.", {
    code: "login_of_other_kind",
    hint: `Ask for it at \`/api/admin/oauth/${route}\`.`,
  })
}

/** Makes them; nothing is kept over a restart. */
export function makeSignIns(parts: SignInsParts): SignIns {
  const { clock, random, originator, service: serviceNow, save } = parts
  const room = makeWaitingRoom(parts)

  async function exchange(service: SignInService, proof: CodeProof, signal: AbortSignal): Promise<AccountReport> {
    const answer = await exchangeCode(service, proof, signal)
    if (answer.type === "refused") throw refusalError(answer)
    return save(accountOfTokens(answer.tokens, clock()).text)
  }

  return {
    start: () => {
      const service = serviceNow()
      const { issuer, clientId } = service
      const shared = { issuer, clientId, originator: originator(), redirectUri: REDIRECT_URI }
      const login = startLogin({ ...shared, clock, random })
      const { expiresAtMs } = login
      const way = { type: "browser", login, service } as const
      const id = room.add({ expiresAtMs, abort: new AbortController(), way })
      const expires_at = new Date(expiresAtMs).toISOString()
      return { login_id: id, url: login.url, redirect_uri: REDIRECT_URI, expires_at }
    },
    finish: async (loginId, callback) => {
      const { way, abort } = room.find(loginId)
      if (way.type === "device") throw otherWay("device/poll")
      const redeemed = way.login.redeem(parseCallback(callback))
      if (redeemed.type === "other") throw refusalError(redeemed.refusal)
      if (redeemed.type === "refused") throw refusalError(redeemed)
      return exchange(way.service, redeemed.proof, abort.signal)
    },
    startDevice: async () => {
      const service = serviceNow()
      const abort = new AbortController()
      const login = await startDeviceLogin({ service, clock, signal: abort.signal })
      if (login.type === "refused") throw refusalError(login)
      const poll = makeDevicePoll({
        parts: { service, clock, signal: abort.signal },
        login,
        finish: proof => exchange(service, proof, abort.signal),
      })
      const { expiresAtMs, pageUrl, userCode, pauseMs } = login
      const id = room.add({ expiresAtMs, abort, way: { type: "device", poll } })
      const expires_at = new Date(expiresAtMs).toISOString()
      const interval_sec = Math.ceil(pauseMs / 1000)
      return { login_id: id, verification_url: pageUrl, user_code: userCode, interval_sec, expires_at }
    },
    pollDevice: async loginId => {
      const { way } = room.find(loginId)
      if (way.type === "browser") throw otherWay("finish")
      return way.poll()
    },
    cancel: loginId => room.drop(loginId, room.find(loginId)),
  }
}
