/** The jars of all accounts over a real store: kept sealed, written in batches, bounded, and free for who has none. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import type { Cookie } from "#accounts/cookies/cookie.ts"
import { makeCookieBook } from "#accounts/cookies/cookie-book.ts"
import { sendWithCookies } from "#accounts/cookies/send-with-cookies.ts"
import { makeMasterKey } from "#accounts/secrets/master-key.ts"
import { makeSealer, type Sealer } from "#accounts/secrets/seal.ts"
import { resealAllRows } from "#accounts/secrets/sealed-rows.ts"
import type { AccountId } from "#core/ids.ts"
import type { UpstreamRequest } from "#core/upstream.ts"
import { makeStore, type Store } from "#store/store.ts"

import { type ManualTime, makeManualTime } from "../../../support/manual-timers.ts"

const ANN = "acc_ann" as AccountId
const BOB = "acc_bob" as AccountId
const SITE = "https://chatgpt.com/backend-api/codex/responses"

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)
const newSealer = () => makeSealer({ key: makeMasterKey(random), random })

let folder: string
let store: Store
let sealer: Sealer
let time: ManualTime
let failures: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cookies-test-"))
  store = makeStore({ path: join(folder, "core.db"), pid: process.pid })
  sealer = newSealer()
  time = makeManualTime()
  failures = []
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const openBook = (rows: Partial<Store> = {}, by = sealer) =>
  makeCookieBook({
    rows: { ...store, ...rows },
    sealer: by,
    clock: time.clock,
    timers: time.timers,
    reportFailure: name => failures.push(name),
  })

function cookie(name: string, value = "secret-value-of-it"): Cookie {
  return { name, value, domain: "chatgpt.com", hostOnly: false, path: "/", secure: true }
}

/** Sends through the book and returns what went out; the answer sets `setCookies`. */
async function send(book: ReturnType<typeof openBook>, account: AccountId | undefined, ...setCookies: string[]) {
  let sent: UpstreamRequest | undefined
  const headers = new Headers()
  for (const line of setCookies) headers.append("set-cookie", line)
  const sender = sendWithCookies(async request => {
    sent = request
    return { status: 200, headers, body: undefined }
  }, book)
  const request = {
    method: "GET",
    url: SITE,
    headers: { accept: "*/*" },
    egress: undefined,
    ...(account && { account }),
  } as const
  await sender(request, new AbortController().signal)
  return { request, sent, cookie: sent?.headers["cookie"] }
}

test("cookies go along with their own account's requests, and are there after a restart", async () => {
  const book = openBook()
  book.put(ANN, [cookie("a"), cookie("b")])
  expect((await send(book, ANN)).cookie).toBe("a=secret-value-of-it; b=secret-value-of-it")
  expect((await send(book, BOB)).cookie).toBeUndefined()
  expect((await send(openBook(), ANN)).cookie).toBe("a=secret-value-of-it; b=secret-value-of-it")
})

test("an account without a jar keeps nothing, and its request is the very same object", async () => {
  const book = openBook()
  const { request, sent } = await send(book, BOB, "a=1; Secure")
  expect(sent).toBe(request)
  expect(book.has(BOB)).toBe(false)
  expect(time.waiting()).toEqual([])
})

test("what answers set is sent with the next request and stored once for all of them", async () => {
  let writes = 0
  const book = openBook({
    writeSealedValues: rows => {
      writes += 1
      store.writeSealedValues(rows)
    },
  })
  book.put(ANN, [])
  expect(writes).toBe(1)
  for (let number = 0; number < 100; number += 1) await send(book, ANN, `seen=${number}; Path=/; Secure`)
  expect((await send(book, ANN)).cookie).toBe("seen=99")
  expect(writes).toBe(1)
  time.advance(5_000)
  expect(writes).toBe(2)
  expect(openBook().headerFor(ANN, SITE)).toBe("seen=99")
})

test("a cookie that comes with its end is gone", async () => {
  const book = openBook()
  book.put(ANN, [cookie("a"), cookie("b")])
  await send(book, ANN, "a=; Domain=chatgpt.com; Max-Age=0")
  expect((await send(book, ANN)).cookie).toBe("b=secret-value-of-it")
})

test("closing stores what was not stored yet", async () => {
  const book = openBook()
  book.put(ANN, [])
  await send(book, ANN, "late=1")
  book.close()
  expect(openBook().headerFor(ANN, SITE)).toBe("late=1")
  expect(time.waiting()).toEqual([])
})

test("a store that is full for a while is written to later, and nothing is lost", async () => {
  let isFull = false
  const book = openBook({
    writeSealedValues: rows => {
      if (isFull) throw new Error("database or disk is full")
      store.writeSealedValues(rows)
    },
  })
  book.put(ANN, [])
  isFull = true
  await send(book, ANN, "a=1")
  time.advance(5_000)
  expect(failures).toEqual(["storing cookies"])
  isFull = false
  time.advance(5_000)
  expect(openBook().headerFor(ANN, SITE)).toBe("a=1")
})

test("no more than fifty: operators are told so, of what answers set the oldest goes", async () => {
  const book = openBook()
  const many = Array.from({ length: 50 }, (_, index) => cookie(`c${index}`, "1"))
  book.put(ANN, many)
  expect(() => book.put(ANN, [cookie("one-more")])).toThrow("more than fits")
  expect(book.of(ANN).length).toBe(50)
  await send(book, ANN, "one-more=1")
  expect(book.of(ANN).map(one => one.name)).toEqual([...many.slice(1).map(one => one.name), "one-more"])
})

test("removing one leaves the others; removing the last ends the jar", () => {
  const book = openBook()
  book.put(ANN, [cookie("a"), cookie("b")])
  book.remove(ANN, "a")
  expect(
    openBook()
      .of(ANN)
      .map(one => one.name),
  ).toEqual(["b"])
  book.remove(ANN, "b")
  expect([book.has(ANN), openBook().has(ANN)]).toEqual([false, false])
})

test("a jar that was dropped with its account does not come back", async () => {
  const book = openBook()
  book.put(ANN, [cookie("a")])
  await send(book, ANN, "late=1")
  store.deleteAccounts([ANN])
  book.forget([ANN])
  time.advance(5_000)
  book.close()
  expect(store.listSealedValues("cookies/")).toEqual([])
})

test("nothing of a value lies in clear in the data directory, before and after a change of the key", () => {
  const book = openBook()
  book.put(ANN, [cookie("a", "a-value-to-look-for")])
  const leaks = () =>
    readdirSync(folder).filter(name => readFileSync(join(folder, name)).includes("a-value-to-look-for"))
  expect(leaks()).toEqual([])
  const next = newSealer()
  expect(resealAllRows(store, sealer, next)).toBe(1)
  expect(leaks()).toEqual([])
  expect(openBook({}, next).headerFor(ANN, SITE)).toBe("a=a-value-to-look-for")
})

test("a damaged jar is reported and left as it is; the others are read", () => {
  const book = openBook()
  book.put(ANN, [cookie("a")])
  book.put(BOB, [cookie("b")])
  const [ann] = store.listSealedValues("cookies/acc_ann")
  if (ann === undefined) throw new Error("no row")
  store.writeSealedValues([{ ...ann, secretJson: `${ann.secretJson.slice(0, -4)}AAAA` }])
  const again = openBook()
  expect([again.has(ANN), again.has(BOB)]).toEqual([false, true])
  expect(failures).toEqual(["reading the cookies of an account"])
  expect(store.listSealedValues("cookies/").length).toBe(2)
})
