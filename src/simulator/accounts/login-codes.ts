/** Authorization codes and device codes that wait to be exchanged, with their proof keys (RFC 7636). */

import type { Ids } from "#simulator/ids.ts"

/** What a login page was asked for. */
export type LoginRequest = {
  readonly account: string
  readonly challenge: string
  readonly redirectUri: string
}

/** What a client shows to get tokens for a code. */
export type CodeProof = { readonly code: string; readonly redirectUri: string; readonly verifier: string }

/** A device login as its owner sees it. */
export type DeviceLogin = { readonly deviceAuthId: string; readonly userCode: string }

/** What the device endpoint answers once the user has agreed. */
export type DeviceGrant = { readonly code: string; readonly challenge: string; readonly verifier: string }

/** Codes in circulation. */
export type LoginCodes = {
  readonly issue: (request: LoginRequest) => string
  /** Returns the account's name, once; undefined when anything does not fit. */
  readonly redeem: (proof: CodeProof) => string | undefined
  /** Starts a device login that stays pending for so many polls. */
  readonly startDevice: (account: string, pendingPolls: number) => DeviceLogin
  /** `pending` until the polls are used up, undefined for an unknown login. */
  readonly pollDevice: (login: DeviceLogin) => DeviceGrant | "pending" | undefined
}

/** Where the device flow's exchange says it came from. */
const DEVICE_REDIRECT_PATH = "/deviceauth/callback"

/** Makes an empty store. */
export function makeLoginCodes(parts: { readonly ids: Ids }): LoginCodes {
  const codes = new Map<string, LoginRequest>()
  const devices = new Map<string, { readonly account: string; readonly userCode: string; readonly polls: number }>()
  const issue = (request: LoginRequest) => {
    const code = `ac_${parts.ids.hex(48)}`
    codes.set(code, request)
    return code
  }
  return {
    issue,
    redeem: proof => {
      const request = codes.get(proof.code)
      codes.delete(proof.code)
      if (request === undefined || !isSameRedirect(request.redirectUri, proof.redirectUri)) return undefined
      return challengeOf(proof.verifier) === request.challenge ? request.account : undefined
    },
    startDevice: (account, pendingPolls) => {
      const deviceAuthId = parts.ids.uuid()
      const letters = parts.ids.hex(8).toUpperCase()
      const userCode = `${letters.slice(0, 4)}-${letters.slice(4)}`
      devices.set(deviceAuthId, { account, userCode, polls: pendingPolls })
      return { deviceAuthId, userCode }
    },
    pollDevice: login => {
      const device = devices.get(login.deviceAuthId)
      if (device === undefined || device.userCode !== login.userCode) return undefined
      if (device.polls > 0) {
        devices.set(login.deviceAuthId, { ...device, polls: device.polls - 1 })
        return "pending"
      }
      devices.delete(login.deviceAuthId)
      const verifier = parts.ids.hex(64)
      const challenge = challengeOf(verifier)
      return {
        code: issue({ account: device.account, challenge, redirectUri: DEVICE_REDIRECT_PATH }),
        challenge,
        verifier,
      }
    },
  }
}

/** The device flow's address is absolute and depends on the issuer, so only its path is compared. */
function isSameRedirect(expected: string, given: string): boolean {
  return expected === DEVICE_REDIRECT_PATH ? given.endsWith(DEVICE_REDIRECT_PATH) : expected === given
}

function challengeOf(verifier: string): string {
  return new Bun.CryptoHasher("sha256").update(verifier).digest("base64url")
}
