/** A whole pool over real files, a real store and a loopback token endpoint, with time in the test's hands. */

import { mkdirSync } from "node:fs"
import { join } from "node:path"

import { type AccountPoolEvent, type AccountPoolParts, makeAccountPool } from "#accounts/account-pool.ts"
import { makeCookieBook } from "#accounts/cookies/cookie-book.ts"
import { makeMasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer } from "#accounts/secrets/seal.ts"
import { makeStore } from "#store/store.ts"

import { makeManualTime } from "../../support/manual-timers.ts"
import { makeTestDirectory, noJitter, START_SEC, startTokenEndpoint } from "./token-endpoint.ts"

/** Starts the surroundings; `startPool` may be called again after `stopPool`, like a restart. */
export function makePoolFixture() {
  const directory = makeTestDirectory()
  const authDir = join(directory.path, "auths")
  const dataDir = join(directory.path, "data")
  mkdirSync(authDir)
  const time = makeManualTime(START_SEC * 1000)
  const tokens = startTokenEndpoint()
  const events: AccountPoolEvent[] = []
  let store = makeStore({ path: join(dataDir, "core.db"), pid: process.pid })
  const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)
  const sealer = makeSealer({ key: makeMasterKey(random), random })
  const makePool = (parts: Partial<AccountPoolParts> = {}) =>
    makeAccountPool({
      authDir,
      dataDir,
      rows: store,
      sealer,
      send: tokens.send,
      endpoint: tokens.endpoint,
      clock: time.clock,
      timers: time.timers,
      random: noJitter,
      emit: event => events.push(event),
      ...parts,
    })
  return {
    authDir,
    dataDir,
    time,
    tokens,
    events,
    store: () => store,
    makePool,
    /** Reads the jars from the store as it is now. */
    makeCookies: () =>
      makeCookieBook({ rows: store, sealer, clock: time.clock, timers: time.timers, reportFailure: () => {} }),
    /** As after a crash: nothing is flushed, the store is opened anew. */
    reopenStore: () => {
      store.close()
      store = makeStore({ path: join(dataDir, "core.db"), pid: process.pid })
    },
    eventsOf: <T extends AccountPoolEvent["type"]>(type: T) =>
      events.filter((event): event is Extract<AccountPoolEvent, { type: T }> => event.type === type),
    stop: async () => {
      store.close()
      await tokens.stop()
      directory.remove()
    },
  }
}

/** Lets the event loop turn until `holds` is true; the test's own timeout ends a wait that is in vain. */
export async function waitUntil(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>(resolve => setTimeout(resolve, 1))
}
