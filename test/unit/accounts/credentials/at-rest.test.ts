/** No token lies in clear in the data directory, whatever way it took there. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"

import { makePoolFixture, waitUntil } from "../pool-fixture.ts"
import { writeFlatFile } from "../token-endpoint.ts"

let world: ReturnType<typeof makePoolFixture>

beforeEach(() => {
  world = makePoolFixture()
})

afterEach(() => world.stop())

/** Names of the data directory's files that hold `text`. */
function filesWith(text: string): readonly string[] {
  return readdirSync(world.dataDir).filter(name => readFileSync(join(world.dataDir, name)).includes(text))
}

test("refreshed pairs are sealed in the database and its log, while it runs and after", async () => {
  for (const user of ["ann", "bob"]) {
    writeFlatFile(world.authDir, user)
    world.tokens.valid.set(`rt_${user}_0`, user)
  }
  const pool = world.makePool()
  await pool.start()
  for (const account of pool.accounts()) expect(await pool.refresh(account.id)).toMatchObject({ type: "fresh" })
  const secrets = pool.accounts().flatMap(({ credential }) => {
    if (credential.type !== "chatgpt") throw new Error("not refreshed")
    return [credential.accessToken, credential.refreshToken ?? ""]
  })
  const all = [...secrets, "rt_ann_0", "rt_bob_0"]
  expect(all.every(secret => secret.length > 5)).toBe(true)
  for (const secret of all) expect(filesWith(secret)).toEqual([])
  // The accounts are there all the same: their ids are no secret.
  for (const { id } of pool.accounts()) expect(filesWith(id).length).toBeGreaterThan(0)
  await pool.close()
  world.reopenStore()
  for (const secret of all) expect(filesWith(secret)).toEqual([])
})

test("a pair that only the emergency journal took is sealed there", async () => {
  const path = writeFlatFile(world.authDir, "ann")
  world.tokens.valid.set("rt_ann_0", "ann")
  const rows = world.store()
  const pool = world.makePool({
    rows: {
      ...rows,
      commitCredentials: () => {
        throw new Error("disk full")
      },
    },
  })
  await pool.start()
  const [ann] = pool.accounts()
  const open = world.tokens.hold()
  const refreshing = pool.refresh(ann?.id ?? expect.unreachable())
  await waitUntil(() => world.tokens.calls.length > 0)
  rmSync(path)
  open()
  await refreshing
  expect(world.eventsOf("commit-failed")).toMatchObject([{ journalled: true }])
  expect(filesWith(ann?.id ?? "")).toContain("refresh-journal.ndjson")
  for (const secret of ["rt_ann_1", "rt_ann_0"]) expect(filesWith(secret)).toEqual([])
  await pool.close()
})
