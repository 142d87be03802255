/** The request log under kill -9, a damaged file and a deleted one. */

import { Database } from "bun:sqlite"
import { expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { systemClock, systemTimers } from "#core/clock.ts"
import { makeJournal } from "#gateway/journal/journal.ts"
import { openLogStore } from "#store/log/log-store.ts"

import { sumsOf } from "../support/journal/check-sums.ts"
import { ROOT } from "../support/source-tree.ts"
import { chat, startOwnGateway } from "./fixture.ts"

setDefaultTimeout(30_000)

/** Lets a process record 2,000 requests a second and kills it after so many reports; returns the last one that came. */
async function recordUntilKilled(path: string, first: number, reports: number): Promise<number> {
  const child = Bun.spawn([process.execPath, join(ROOT, "test/support/journal/writer.ts"), path, String(first)], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "inherit",
  })
  let stored = first
  let seen = 0
  let rest = ""
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      if (!line.startsWith("stored ")) throw new Error(line)
      stored = Number(line.slice("stored ".length))
      seen += 1
    }
    if (seen >= reports) child.kill("SIGKILL")
  }
  await child.exited
  return stored
}

function requestNumbers(path: string): readonly number[] {
  using database = new Database(path)
  const rows = database.query<{ request_id: string }, []>("select request_id from requests order by id").all()
  return rows.map(({ request_id }) => Number.parseInt(request_id.slice(-12), 16))
}

test("fault 61: kill -9 under 2,000 requests a second takes nothing that was written, and the sums equal the rows", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-kill-"))
  const path = join(folder, "log.db")
  try {
    let first = 0
    for (const reports of [90, 41, 150]) {
      const stored = await recordUntilKilled(path, first, reports)
      const numbers = requestNumbers(path)
      // Every number once and in order, without a gap: nothing that was committed is gone, nothing is there twice.
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index))
      expect(numbers.length).toBeGreaterThanOrEqual(stored)
      first = numbers.length
    }
    expect(first).toBeGreaterThan(2_000)
    const next = makeJournal({
      clock: systemClock,
      timers: systemTimers,
      open: nowMs => openLogStore(path, nowMs),
      warn: (_, message) => {
        throw new Error(message)
      },
      isOn: () => true,
      keepDays: () => ({ requests: 30, details: 7, events: 90 }),
    })
    next.read(log => log.lastRequestId())
    next.close()
    for (const { raw, rolled } of sumsOf(path)) expect(rolled).toEqual(raw)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test.concurrent("fault 61: requests that were shown are still there after kill -9, and usage adds up to them", async () => {
  await using gateway = await startOwnGateway()
  await Promise.all(
    Array.from({ length: 30 }, (_, index) => gateway.post("/v1/chat/completions", chat({ text: `${index}` }))),
  )
  const list = async () => (await gateway.get("/api/admin/requests?limit=1000", { authorization: "" })).json()
  const before = await list()
  expect(before["requests"]).toBeArrayOfSize(30)
  process.kill(gateway.process().pid, "SIGKILL")
  await gateway.process().stop()
  await gateway.startAgain()
  expect(await list()).toEqual(before)
  const { usage } = (await gateway.get("/api/admin/usage?by=key", { authorization: "" })).json()
  expect(usage).toMatchObject([{ requests: 30 }])
})

test.concurrent("fault 63: a gateway whose request log is damaged or deleted serves, and begins a new one", async () => {
  await using gateway = await startOwnGateway()
  const data = (name: string) => join(gateway.folder, "data", name)
  const serveOne = async () => {
    expect((await gateway.post("/v1/chat/completions", chat())).status).toBe(200)
    return (await gateway.get("/api/admin/requests", { authorization: "" })).json()["requests"]
  }
  expect(await serveOne()).toBeArrayOfSize(1)
  await gateway.process().stop()
  writeFileSync(data("log.db"), "this is no database, whatever its name says".repeat(200))
  await gateway.startAgain()
  expect(await serveOne()).toBeArrayOfSize(1)
  expect(readdirSync(data(".")).filter(name => name.startsWith("log.db.damaged-"))).toHaveLength(1)
  expect(gateway.process().output()).toContain("log.db could not be used; a new one was begun")
  await gateway.process().stop()
  for (const name of ["log.db", "log.db-wal", "log.db-shm"]) rmSync(data(name), { force: true })
  await gateway.startAgain()
  expect(await serveOne()).toBeArrayOfSize(1)
})
