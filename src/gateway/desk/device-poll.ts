/** The polling of one device sign-in: at the service's pace whoever asks, with one end that every later question gets too. */

import { askDeviceGrant, type DeviceFlowParts, type DeviceLogin } from "#accounts/sign-in/device-flow.ts"
import type { CodeProof } from "#accounts/sign-in/exchange-code.ts"
import { GatewayError } from "#core/errors.ts"

import type { AccountReport } from "./account-report.ts"
import { refusalError } from "./sign-in-refusal.ts"

/** How a device sign-in stands. */
export type PollReport =
  | {
      readonly status: "pending"
      /** Seconds until asking can change anything. */
      readonly retry_in_sec: number
      readonly expires_at: string
    }
  | { readonly status: "done"; readonly account: AccountReport }
  | {
      readonly status: "refused"
      readonly error: { readonly code: string | null; readonly message: string; readonly hint: string | null }
    }

/** Asks the service if it is time, else answers at once. Rejects when the sign-in is called off, and with bugs. */
export type DevicePoll = () => Promise<PollReport>

/** What polling needs. */
export type DevicePollParts = {
  readonly parts: Omit<DeviceFlowParts, "timers">
  readonly login: DeviceLogin
  /** Exchanges the code and saves the account. */
  readonly finish: (proof: CodeProof) => Promise<AccountReport>
}

function refused({ code, message, hint }: GatewayError): PollReport {
  return { status: "refused", error: { code: code ?? null, message, hint: hint ?? null } }
}

/** Makes the poll of a login that has just started. */
export function makeDevicePoll({ parts, login, finish }: DevicePollParts): DevicePoll {
  const { clock } = parts
  let nextAskAtMs = clock() + login.pauseMs
  let running: Promise<PollReport> | undefined
  let end: PollReport | undefined

  function pending(): PollReport {
    const retry_in_sec = Math.max(0, Math.ceil((nextAskAtMs - clock()) / 1000))
    return { status: "pending", retry_in_sec, expires_at: new Date(login.expiresAtMs).toISOString() }
  }

  async function ask(): Promise<PollReport> {
    const answer = await askDeviceGrant(parts, login)
    nextAskAtMs = clock() + login.pauseMs
    if (answer.type === "pending") return pending()
    if (answer.type === "refused") return refused(refusalError(answer))
    try {
      return { status: "done", account: await finish(answer.proof) }
    } catch (error) {
      // The code is spent: whatever stood in the way is how this sign-in ended.
      if (error instanceof GatewayError && !parts.signal.aborted) return refused(error)
      throw error
    }
  }

  async function askOnce(): Promise<PollReport> {
    try {
      const report = await ask()
      if (report.status !== "pending") end = report
      return report
    } finally {
      running = undefined
    }
  }

  return async () => {
    if (end !== undefined) return end
    if (running === undefined && clock() < nextAskAtMs && clock() < login.expiresAtMs) return pending()
    running ??= askOnce()
    return running
  }
}
