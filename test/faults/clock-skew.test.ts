/** A clock that is an hour off: tokens that live an hour look spent when they are new, or good when they are spent. */

import { expect, setDefaultTimeout, test } from "bun:test"

import { arrayAt, isJsonObject, stringAt } from "#core/json.ts"

import { type FaultGateway, startFaultGateway, turn, writeAccount } from "./fixture.ts"

setDefaultTimeout(20_000)

const HOUR_MS = 3_600_000

/** A gateway whose clock is ahead of the upstream's by so much; its tokens live an hour. */
async function start(aheadMs: number): Promise<FaultGateway> {
  return startFaultGateway({
    accounts: 0,
    simulator: { clock: () => Date.now() - aheadMs },
    prepare: async (folder, control) => {
      for (const name of ["account-1", "account-2"]) {
        control.createAccount({ name, accessLifetimeSec: 3600 })
        await writeAccount(folder, control, name)
      }
    },
  })
}

const exchanges = (gateway: FaultGateway) => gateway.control.recorded({ path: "/oauth/token" }).length

async function credentials(gateway: FaultGateway): Promise<readonly unknown[]> {
  const accounts = arrayAt((await gateway.get("/stats")).json(), "accounts") ?? []
  return accounts.filter(isJsonObject).map(account => stringAt(account, "credential"))
}

test("ahead by an hour: each account is refreshed once and then serves, also after a restart", async () => {
  const gateway = await start(HOUR_MS)
  try {
    await gateway.post("/refresh", "")
    const before = exchanges(gateway)
    expect(await credentials(gateway)).toEqual(["fresh", "fresh"])
    // Chance picks among equals; so many turns meet both accounts.
    for (let index = 0; index < 40; index += 1)
      expect((await gateway.post("/v1/responses", turn({ text: `${index}` }))).status).toBe(200)
    expect(await gateway.process().stop()).toBe(0)
    await gateway.startAgain()
    expect(await credentials(gateway)).toEqual(["fresh", "fresh"])
    for (let index = 0; index < 6; index += 1)
      expect((await gateway.post("/v1/responses", turn({ text: `${index}` }))).status).toBe(200)
    expect(exchanges(gateway)).toBe(before)
  } finally {
    await gateway.stop()
  }
})

test("behind by an hour: a token that is spent although it does not look so is refreshed when it meets 401", async () => {
  const gateway = await start(-HOUR_MS)
  try {
    await gateway.post("/refresh", "")
    for (const { name } of gateway.control.accounts()) gateway.control.markAccess(name, "expired")
    const before = exchanges(gateway)
    // Chance picks among equals; so many turns meet both accounts.
    for (let index = 0; index < 40; index += 1)
      expect((await gateway.post("/v1/responses", turn({ text: `${index}` }))).status).toBe(200)
    expect(exchanges(gateway)).toBe(before + 2)
  } finally {
    await gateway.stop()
  }
})
