/** Sign-in by a code that is typed in on another device. */

import type { Clock, Timers } from "#core/clock.ts"
import { numberAt, stringAt } from "#core/json.ts"
import type { UpstreamRequest } from "#core/upstream.ts"

import { askService, errorCodeOf, refuseElsewhere, type ServiceAnswer, type SignInService } from "./ask-service.ts"
import type { CodeProof } from "./exchange-code.ts"
import { refuse, type SignInRefusal } from "./refusal.ts"

/** A device sign-in that waits for its user. */
export type DeviceLogin = {
  readonly type: "started"
  readonly deviceAuthId: string
  /** What the user types in. */
  readonly userCode: string
  /** Where the user types it in. */
  readonly pageUrl: string
  readonly pauseMs: number
  readonly expiresAtMs: number
}

/** The service, the time, and the user's patience. */
export type DeviceFlowParts = {
  readonly service: SignInService
  readonly clock: Clock
  readonly timers: Timers
  readonly signal: AbortSignal
}

/** The service keeps a code for fifteen minutes. */
const LIFETIME_MS = 15 * 60_000
const DEFAULT_INTERVAL_SEC = 5
const MAX_INTERVAL_SEC = 60
/** Asking earlier than the service wants only makes it ask for longer pauses. */
const MARGIN_MS = 3_000

const NOT_ENABLED: SignInRefusal = refuse(
  "device_login_disabled",
  "Device code sign-in is not enabled for this account or workspace.",
  "Allow it in ChatGPT under Settings, Security (a workspace's administrator can), or sign in through a browser.",
)

const EXPIRED: SignInRefusal = refuse(
  "device_code_expired",
  "Nobody entered the code within fifteen minutes.",
  "Start the sign-in again.",
)

/**
 * Asks for a code. Paths and bodies as in codex-rs/login/src/device_code_auth.rs of https://github.com/openai/codex;
 * 404 means that the tenant does not allow it. Rejects only when the signal aborts.
 */
export async function startDeviceLogin(parts: Omit<DeviceFlowParts, "timers">): Promise<DeviceLogin | SignInRefusal> {
  const { service, clock, signal } = parts
  const answer = await askService(service, question(service, "usercode", { client_id: service.clientId }), signal)
  if (answer.type === "refused") return answer
  if (answer.status === 404) return NOT_ENABLED
  if (answer.status !== 200) return refuseAnswer(answer)
  const body = answer.body ?? {}
  const deviceAuthId = stringAt(body, "device_auth_id")
  const userCode = stringAt(body, "user_code") ?? stringAt(body, "usercode")
  if (deviceAuthId === undefined || userCode === undefined || !/^[\w -]{1,40}$/.test(userCode))
    return refuseAnswer(answer)
  return {
    type: "started",
    deviceAuthId,
    userCode,
    pageUrl: `${service.issuer}/codex/device`,
    pauseMs: readIntervalSec(stringAt(body, "interval") ?? numberAt(body, "interval")) * 1000 + MARGIN_MS,
    expiresAtMs: clock() + LIFETIME_MS,
  }
}

/** What one question after the user's consent came to. */
export type DeviceAnswer =
  | { readonly type: "pending" }
  | { readonly type: "proof"; readonly proof: CodeProof }
  | SignInRefusal

/**
 * Asks once. 403 and 404 mean "not yet"; a busy or unreachable service may be asked again as well.
 * Rejects when the signal aborts.
 */
export async function askDeviceGrant(
  { service, clock, signal }: Omit<DeviceFlowParts, "timers">,
  login: DeviceLogin,
): Promise<DeviceAnswer> {
  if (clock() >= login.expiresAtMs) return EXPIRED
  const body = { device_auth_id: login.deviceAuthId, user_code: login.userCode }
  const answer = await askService(service, question(service, "token", body), signal)
  if (isNotYet(answer)) return { type: "pending" }
  return answer.type === "answer" && answer.status === 200 ? readGrant(service, answer) : refuseAnswer(answer)
}

/** Asks until the user has agreed. Rejects when the signal aborts. */
export async function awaitDeviceGrant(
  parts: DeviceFlowParts,
  login: DeviceLogin,
): Promise<Exclude<DeviceAnswer, { type: "pending" }>> {
  for (;;) {
    await pause(parts.timers, login.pauseMs, parts.signal)
    const answer = await askDeviceGrant(parts, login)
    if (answer.type !== "pending") return answer
  }
}

function isNotYet(answer: ServiceAnswer | SignInRefusal): boolean {
  if (answer.type === "refused") return true
  return answer.status === 403 || answer.status === 404 || answer.status === 429 || answer.status >= 500
}

function readGrant(service: SignInService, answer: ServiceAnswer) {
  const code = stringAt(answer.body ?? {}, "authorization_code")
  const verifier = stringAt(answer.body ?? {}, "code_verifier")
  if (code === undefined || verifier === undefined) return refuseAnswer(answer)
  const redirectUri = `${service.issuer}/deviceauth/callback`
  return { type: "proof", proof: { code, verifier, redirectUri } } as const
}

function refuseAnswer(answer: ServiceAnswer | SignInRefusal): SignInRefusal {
  if (answer.type === "refused") return answer
  const elsewhere = refuseElsewhere(answer)
  if (elsewhere !== undefined) return elsewhere
  const code = errorCodeOf(answer) ?? `status_${answer.status}`
  return refuse(
    code,
    `The sign-in service did not accept the device sign-in (${code}).`,
    "Start the sign-in again, or sign in through a browser.",
  )
}

function question(service: SignInService, name: "usercode" | "token", body: object): UpstreamRequest {
  return {
    method: "POST",
    url: `${service.issuer}/api/accounts/deviceauth/${name}`,
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body),
    egress: undefined,
  }
}

/** The service writes the seconds as text. */
function readIntervalSec(interval: string | number | undefined): number {
  const seconds = Number(interval ?? DEFAULT_INTERVAL_SEC)
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, MAX_INTERVAL_SEC) : DEFAULT_INTERVAL_SEC
}

/** Resolves after the pause; rejects with the signal's reason when it aborts before. */
async function pause(timers: Timers, pauseMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = timers.after(pauseMs, resolve)
  const stop = () => resolve()
  signal.addEventListener("abort", stop, { once: true })
  try {
    await promise
    signal.throwIfAborted()
  } finally {
    cancel()
    signal.removeEventListener("abort", stop)
  }
}
