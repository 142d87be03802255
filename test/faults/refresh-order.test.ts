/** Many tokens that are due at once, and tokens that accounts share; the compiled binary. */

import { expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { startOwnGateway, turn, until, writeAccount } from "./fixture.ts"

setDefaultTimeout(20_000)

test.concurrent("fault 37: with every token expired at the start, a request is served at once and the rest come one a second", async () => {
  const accounts = 40
  await using gateway = await startOwnGateway({
    accounts: 0,
    prepare: async (folder, control) => {
      for (let index = 0; index < accounts; index += 1) {
        const name = `account-${index}`
        control.createAccount({ name, accessLifetimeSec: -60 })
        await writeAccount(folder, control, name)
        control.updateAccount(name, { accessLifetimeSec: 864_000 })
      }
    },
  })
  const exchanges = () => gateway.control.recorded({ path: "/oauth/token" }).length
  const readyMs = performance.now()
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  // Bounded wait: the background has had its time for a few more.
  await Bun.sleep(2_500)
  const passedSec = (performance.now() - readyMs) / 1_000
  // One for the request; the background began while the gateway started.
  expect(exchanges()).toBeGreaterThanOrEqual(3)
  expect(exchanges()).toBeLessThanOrEqual(Math.ceil(passedSec) + 4)
})

test.concurrent("fault 33: two accounts that share a refresh token are both renewed by one exchange", async () => {
  await using gateway = await startOwnGateway({
    accounts: 1,
    prepare: async (folder, control) => {
      // The same login under another workspace: a file of its own, the same refresh token.
      const file = control.accountFile("account-1")
      await Bun.write(join(folder, "auths", "twin.json"), JSON.stringify({ ...file, account_id: "ws-twin" }))
    },
  })
  const exchanges = () => gateway.control.recorded({ path: "/oauth/token" })
  const refreshed = (await gateway.post("/refresh", "")).json()["accounts"]
  expect(refreshed).toMatchObject([{ status: "refreshed" }, { status: "refreshed" }])
  expect(exchanges()).toHaveLength(1)
  const stored = async (name: string) =>
    (await Bun.file(join(gateway.folder, "auths", `${name}.json`)).json()) as object
  const { refresh_token } = gateway.control.accountFile("account-1")
  await until("both files hold the new token", async () => {
    const files = await Promise.all([stored("account-1"), stored("twin")])
    return files.every(file => "refresh_token" in file && file.refresh_token === refresh_token)
  })
})

test.concurrent("fault 30: a token that was used up elsewhere is replaced by the newer one in the account's file", async () => {
  await using gateway = await startOwnGateway({ accounts: 1 })
  // Somebody else signs the account in again: the gateway's token is void, and the file has the new one.
  gateway.control.script({ endpoint: "token", settings: { hold: "exchange", holdAfterEvents: -1 }, times: 1 })
  gateway.control.markAccess("account-1", "expired")
  const asked = gateway.post("/v1/responses", turn())
  await until("the exchange has begun", () => gateway.control.waiting("exchange") === 1)
  gateway.control.markRefresh("account-1", "used")
  const newer = gateway.control.signInAgain("account-1")
  await Bun.write(join(gateway.folder, "auths", "account-1.json"), JSON.stringify(newer))
  gateway.control.release("exchange")
  expect((await asked).status).toBe(200)
  const refreshed = (await gateway.post("/refresh", "")).json()["accounts"]
  expect(refreshed).toMatchObject([{ status: "refreshed" }])
})
