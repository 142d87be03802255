/** Sign-ins that wait: device polls at the service's pace, expiry, calling off; with a clock that is set by hand. */

import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { AccountReport } from "#gateway/desk/account-report.ts"
import { makeSignIns, type SignIns } from "#gateway/desk/sign-ins.ts"
import { type Simulator, startSimulator } from "#simulator/simulator.ts"

import { scriptedService, serviceOf } from "../../accounts/sign-in/sign-in-fixture.ts"

let simulator: Simulator
let nowMs = 0
let saved: string[] = []

beforeAll(() => {
  simulator = startSimulator({ accounts: 1 })
})
afterAll(() => simulator.stop())
beforeEach(() => {
  nowMs = 1_000_000
  saved = []
  simulator.control.setRules({ devicePendingPolls: 0, deviceIntervalSec: 5 })
  simulator.control.clearRecorded()
})

/** What saving answers; only its identity counts here. */
const REPORT = { id: "acc_1" } as unknown as AccountReport

function signInsOver(
  service = serviceOf(simulator),
  save: (text: string) => Promise<AccountReport> = async text => {
    saved.push(text)
    return REPORT
  },
): SignIns {
  return makeSignIns({
    service: () => service,
    originator: () => "codex_cli_rs",
    random: bytes => crypto.getRandomValues(bytes),
    clock: () => nowMs,
    save,
  })
}

const askedForToken = () => simulator.control.recorded({ path: "/api/accounts/deviceauth/token" }).length

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  return error instanceof GatewayError ? error.code : undefined
}

test("polls ahead of time ask nobody; a poll in time does, and its end is told again", async () => {
  simulator.control.setRules({ devicePendingPolls: 1 })
  const signIns = signInsOver()
  const { login_id, interval_sec } = await signIns.startDevice()
  expect(await signIns.pollDevice(login_id)).toMatchObject({ status: "pending", retry_in_sec: interval_sec })
  expect(askedForToken()).toBe(0)
  nowMs += interval_sec * 1000
  expect(await signIns.pollDevice(login_id)).toMatchObject({ status: "pending", retry_in_sec: interval_sec })
  expect(await signIns.pollDevice(login_id)).toMatchObject({ status: "pending" })
  expect(askedForToken()).toBe(1)
  nowMs += interval_sec * 1000
  const done = { status: "done", account: REPORT } as const
  expect(await signIns.pollDevice(login_id)).toEqual(done)
  expect(await signIns.pollDevice(login_id)).toEqual(done)
  expect([askedForToken(), saved.length]).toEqual([2, 1])
})

test("polls at the same moment are one question and save one account", async () => {
  const signIns = signInsOver()
  const { login_id, interval_sec } = await signIns.startDevice()
  nowMs += interval_sec * 1000
  const reports = await Promise.all([1, 2, 3, 4].map(() => signIns.pollDevice(login_id)))
  expect(reports.map(report => report.status)).toEqual(["done", "done", "done", "done"])
  expect([askedForToken(), saved.length]).toEqual([1, 1])
})

test("a code that nobody entered in time is refused with what to do next", async () => {
  const signIns = signInsOver()
  const { login_id, expires_at } = await signIns.startDevice()
  nowMs = Date.parse(expires_at)
  expect(await signIns.pollDevice(login_id)).toMatchObject({
    status: "refused",
    error: { code: "device_code_expired", hint: "Start the sign-in again." },
  })
})

test("an account that cannot be saved is how the sign-in ends", async () => {
  const full = new GatewayError("internal", "The disk is full.", { code: "not_saved", hint: "Make space." })
  const signIns = signInsOver(serviceOf(simulator), () => Promise.reject(full))
  const { login_id, interval_sec } = await signIns.startDevice()
  nowMs += interval_sec * 1000
  const refused = { status: "refused", error: { code: "not_saved", message: "The disk is full.", hint: "Make space." } }
  expect<unknown>(await signIns.pollDevice(login_id)).toEqual(refused)
})

test("a tenant without device codes is told where to allow them", async () => {
  const { service } = scriptedService(() => new Response(null, { status: 404 }))
  expect(await codeOf(signInsOver(service).startDevice())).toBe("device_login_disabled")
})

test("a service that is down is not the caller's mistake", async () => {
  const { service } = scriptedService(() => new Response("busy", { status: 503 }))
  const failure = await signInsOver(service)
    .startDevice()
    .catch((error: unknown) => error)
  expect(failure).toMatchObject({ kind: "upstream-unavailable", code: "status_503" })
})

test("a browser sign-in expires after ten minutes", async () => {
  const signIns = signInsOver()
  const { login_id } = signIns.start()
  nowMs += 10 * 60_000
  expect(await codeOf(signIns.finish(login_id, "ac_1"))).toBe("login_expired")
  signIns.start()
  expect(await codeOf(signIns.finish(login_id, "ac_1"))).toBe("login_not_found")
})

test("calling off ends an exchange that is under way, and nothing is saved", async () => {
  const asked = Promise.withResolvers<void>()
  const service = {
    ...serviceOf(simulator),
    send: (_request: unknown, signal: AbortSignal) => {
      asked.resolve()
      return new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    },
  }
  const signIns = signInsOver(service)
  const { login_id } = signIns.start()
  const finishing = signIns.finish(login_id, "ac_1").catch((error: unknown) => error)
  await asked.promise
  signIns.cancel(login_id)
  expect(await finishing).toMatchObject({ kind: "cancelled" })
  expect(saved).toEqual([])
})
