/** The device flow, with timers that fire by hand. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import type { SignInService } from "#accounts/sign-in/ask-service.ts"
import { awaitDeviceGrant, type DeviceFlowParts, startDeviceLogin } from "#accounts/sign-in/device-flow.ts"
import { exchangeCode } from "#accounts/sign-in/exchange-code.ts"
import { type Simulator, startSimulator } from "#simulator/simulator.ts"

import { NEVER, scriptedService, serviceOf } from "./sign-in-fixture.ts"

let simulator: Simulator
beforeAll(() => {
  simulator = startSimulator({ accounts: 1 })
})
afterAll(() => simulator.stop())

/** Pauses pass at once on a clock of their own; what they were is written down. */
function partsOf(service: SignInService, signal = NEVER) {
  let nowMs = 0
  const pausesMs: number[] = []
  const parts: DeviceFlowParts = {
    service,
    signal,
    clock: () => nowMs,
    timers: {
      after: (delayMs, run) => {
        pausesMs.push(delayMs)
        nowMs += delayMs
        queueMicrotask(run)
        return () => {}
      },
      every: () => () => {},
    },
  }
  return { parts, pausesMs }
}

async function started(parts: DeviceFlowParts) {
  const login = await startDeviceLogin(parts)
  if (login.type !== "started") throw new Error(login.code)
  return login
}

const CODE = { device_auth_id: "d1", user_code: "ABCD-1234", interval: "7" }
const GRANT = { authorization_code: "ac_1", code_challenge: "c", code_verifier: "v" }

test("a login that stays pending three times then gives tokens", async () => {
  simulator.control.setRules({ devicePendingPolls: 3, deviceIntervalSec: 5 })
  const service = serviceOf(simulator)
  const { parts, pausesMs } = partsOf(service)
  const login = await started(parts)
  expect(login.userCode).toMatch(/^\w{4}-\w{4}$/)
  expect(login.pageUrl).toBe(`${simulator.url}/codex/device`)
  const grant = await awaitDeviceGrant(parts, login)
  if (grant.type !== "proof") throw new Error(grant.code)
  expect(pausesMs).toEqual([8_000, 8_000, 8_000, 8_000])
  expect(grant.proof.redirectUri).toBe(`${simulator.url}/deviceauth/callback`)
  expect((await exchangeCode(service, grant.proof, NEVER)).type).toBe("tokens")
})

test("the interval is text, and three seconds are added to it", async () => {
  const { service } = scriptedService(() => Response.json(CODE))
  expect((await started(partsOf(service).parts)).pauseMs).toBe(10_000)
})

test("an interval that is no number counts as five seconds", async () => {
  const { service } = scriptedService(() => Response.json({ ...CODE, interval: "soon" }))
  expect((await started(partsOf(service).parts)).pauseMs).toBe(8_000)
})

test("the code may stand under its other name", async () => {
  const { service } = scriptedService(() => Response.json({ device_auth_id: "d1", usercode: "XY-12" }))
  expect((await started(partsOf(service).parts)).userCode).toBe("XY-12")
})

test("404 at the start means that the way is not enabled, and says where to enable it", async () => {
  const { service } = scriptedService(() => Response.json({}, { status: 404 }))
  expect(await startDeviceLogin(partsOf(service).parts)).toMatchObject({
    code: "device_login_disabled",
    hint: expect.stringContaining("Security"),
  })
})

test("403, 404, a busy service and a broken connection all mean: ask again", async () => {
  const broken = () => {
    throw new TypeError("broken off")
  }
  const { service, asked } = scriptedService(
    () => Response.json(CODE),
    () => Response.json({}, { status: 403 }),
    () => Response.json({}, { status: 404 }),
    () => new Response("", { status: 503 }),
    broken,
    () => Response.json(GRANT),
  )
  const { parts } = partsOf(service)
  const grant = await awaitDeviceGrant(parts, await started(parts))
  expect(grant).toMatchObject({ type: "proof", proof: { code: "ac_1", verifier: "v" } })
  expect(asked).toHaveLength(6)
  expect(JSON.parse(asked[5]?.body ?? "")).toEqual({ device_auth_id: "d1", user_code: "ABCD-1234" })
})

test("after fifteen minutes nobody is asked any more", async () => {
  const { service } = scriptedService(
    () => Response.json(CODE),
    () => Response.json({}, { status: 403 }),
  )
  const { parts, pausesMs } = partsOf(service)
  expect(await awaitDeviceGrant(parts, await started(parts))).toMatchObject({ code: "device_code_expired" })
  expect(pausesMs).toHaveLength(90)
})

test("any other refusal ends it", async () => {
  const { service } = scriptedService(
    () => Response.json(CODE),
    () => Response.json({ error: "expired_code" }, { status: 400 }),
  )
  const { parts } = partsOf(service)
  expect(await awaitDeviceGrant(parts, await started(parts))).toMatchObject({ type: "refused", code: "expired_code" })
})

test("a cancel during the pause rejects with its reason", async () => {
  const stop = new AbortController()
  const { service, asked } = scriptedService(() => Response.json(CODE))
  const { parts } = partsOf(service, stop.signal)
  const login = await started(parts)
  const waiting = awaitDeviceGrant({ ...parts, timers: { after: () => () => {}, every: () => () => {} } }, login)
  stop.abort(new Error("enough"))
  expect(waiting).rejects.toThrow("enough")
  await waiting.catch(() => undefined)
  expect(asked).toHaveLength(1)
})
