/** The cookie jars of all accounts: in memory for every request, sealed in the store for the next start. */

import type { Sealer } from "#accounts/secrets/seal.ts"
import { openSecret, sealRow } from "#accounts/secrets/sealed-rows.ts"
import type { Clock, Timers } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"

import { type Cookie, cookieHeader, cookieKey, isExpired, readSetCookie } from "./cookie.ts"
import { readJar, writeJar } from "./cookie-jar-text.ts"
import { isTooFull, type Jar, joinJars, lay, tooFull } from "./jar.ts"

/** What is needed of the store; its own functions fit. */
export type CookieRows = {
  readonly listSealedValues: (prefix: string) => readonly { readonly name: string; readonly secretJson: string }[]
  readonly writeSealedValues: (
    rows: readonly { readonly name: string; readonly secretJson: string; readonly updatedAtMs: number }[],
  ) => void
  readonly deleteSealedValue: (name: string) => void
}

/**
 * All jars. An account has one once somebody has put cookies there; only then is anything sent along or taken from
 * answers.
 */
export type CookieBook = {
  readonly has: (id: AccountId) => boolean
  /** The cookies whose time is not over. */
  readonly of: (id: AccountId) => readonly Cookie[]
  /** The `Cookie` header for a request; undefined = none. */
  readonly headerFor: (id: AccountId, url: string) => string | undefined
  /** Takes over what an answer sets, if there is a jar; stored within seconds. */
  readonly take: (id: AccountId, url: string, setCookies: readonly string[]) => void
  /** Puts cookies into the jar, which it makes; on the disk when this returns. Throws `invalid-request` for a full jar. */
  readonly put: (id: AccountId, cookies: readonly Cookie[]) => void
  /** Removes the cookies of that name, or without one the jar; on the disk when this returns. */
  readonly remove: (id: AccountId, name?: string) => void
  /**
   * Prepares that a jar goes on under another id, beside what is there: whoever writes the row calls `done`. Undefined =
   * there is no jar.
   */
  readonly move: (from: AccountId, into: AccountId) => JarMove | undefined
  /** Drops jars whose rows the store has deleted. */
  readonly forget: (ids: readonly AccountId[]) => void
  /** Stores what is not stored yet, and what comes in later only after `wake`. Throws the store's error. */
  readonly rest: () => void
  readonly wake: () => void
  /** Stores what is not stored yet. */
  readonly close: () => void
}

/** A jar on its way to another id: its row, sealed for that, and what follows once the row is written. */
export type JarMove = {
  readonly row: { readonly name: string; readonly secretJson: string; readonly updatedAtMs: number }
  readonly done: () => void
}

/** What the book is made of. */
export type CookieBookParts = {
  readonly rows: CookieRows
  readonly sealer: Sealer
  readonly clock: Clock
  readonly timers: Timers
  /** Told of rows that cannot be read and of writes that fail; the latter are tried again. */
  readonly reportFailure: (name: string, cause: unknown) => void
}

const PREFIX = "cookies/"
/** Sites change their cookies with every answer; one write serves many. */
const WRITE_PAUSE_MS = 5_000

function sealedRow(name: string, jar: Jar, { sealer, clock }: CookieBookParts) {
  const clear = {
    table: "sealed_values",
    accountId: name,
    secretJson: writeJar(jar.values()),
    previousSecretJson: null,
  } as const
  return { name, secretJson: sealRow(clear, sealer).secretJson, updatedAtMs: clock() }
}

function readJars({ rows, sealer, reportFailure }: CookieBookParts): Map<AccountId, Jar> {
  const jars = new Map<AccountId, Jar>()
  for (const { name, secretJson } of rows.listSealedValues(PREFIX)) {
    try {
      const row = { table: "sealed_values", accountId: name, secretJson, previousSecretJson: null } as const
      const cookies = readJar(openSecret(row, sealer))
      // The prefix is followed by the id the row was written for.
      jars.set(name.slice(PREFIX.length) as AccountId, new Map(cookies.map(cookie => [cookieKey(cookie), cookie])))
    } catch (cause) {
      // One damaged jar must not keep the gateway from starting; its row stays as it is.
      reportFailure("reading the cookies of an account", cause)
    }
  }
  return jars
}

/** Lays what an answer sets into the jar; false when that is nothing. */
function takeInto(jar: Jar, url: URL, setCookies: readonly string[], nowMs: number): boolean {
  const found = setCookies.map(line => readSetCookie(line, url, nowMs)).filter(one => one !== undefined)
  for (const cookie of found) lay(jar, cookie, nowMs)
  for (const key of jar.keys()) if (isTooFull(jar)) jar.delete(key)
  return found.length > 0
}

/** Writes jars a while after they have changed: one write serves many answers. */
function makeLateWriter(parts: CookieBookParts, jars: ReadonlyMap<AccountId, Jar>) {
  const { rows, timers, reportFailure } = parts
  const unwritten = new Set<AccountId>()
  let cancelTimer: (() => void) | undefined
  let isResting = false

  function write(): void {
    const changed = [...unwritten].flatMap(id => {
      const jar = jars.get(id)
      return jar === undefined ? [] : [sealedRow(`${PREFIX}${id}`, jar, parts)]
    })
    if (changed.length > 0) rows.writeSealedValues(changed)
  }

  function flush(): void {
    cancelTimer = undefined
    try {
      write()
      unwritten.clear()
    } catch (cause) {
      // Memory has them; the store may be busy or full for a while only.
      reportFailure("storing cookies", cause)
      writeSoon()
    }
  }

  function writeSoon(): void {
    if (!isResting) cancelTimer ??= timers.after(WRITE_PAUSE_MS, flush)
  }

  return {
    changed: (id: AccountId): void => {
      unwritten.add(id)
      writeSoon()
    },
    /** The row is up to date, or gone. */
    settled: (id: AccountId): void => {
      unwritten.delete(id)
    },
    rest: (): void => {
      cancelTimer?.()
      cancelTimer = undefined
      write()
      unwritten.clear()
      isResting = true
    },
    wake: (): void => {
      isResting = false
      if (unwritten.size > 0) writeSoon()
    },
    close: (): void => {
      cancelTimer?.()
      cancelTimer = undefined
      if (!isResting) write()
    },
  }
}

/** Makes the book and reads all jars. */
export function makeCookieBook(parts: CookieBookParts): CookieBook {
  const { rows, clock } = parts
  const jars = readJars(parts)
  const late = makeLateWriter(parts, jars)

  return {
    has: id => jars.has(id),
    of: id => [...(jars.get(id)?.values() ?? [])].filter(cookie => !isExpired(cookie, clock())),
    headerFor: (id, url) => {
      const jar = jars.get(id)
      return jar === undefined ? undefined : cookieHeader(jar.values(), new URL(url), clock())
    },
    take: (id, url, setCookies) => {
      const jar = jars.get(id)
      if (jar !== undefined && takeInto(jar, new URL(url), setCookies, clock())) late.changed(id)
    },
    put: (id, cookies) => {
      const after: Jar = new Map(jars.get(id))
      for (const cookie of cookies) lay(after, cookie, clock())
      if (isTooFull(after)) throw tooFull()
      rows.writeSealedValues([sealedRow(`${PREFIX}${id}`, after, parts)])
      jars.set(id, after)
      late.settled(id)
    },
    remove: (id, name) => {
      const jar = jars.get(id)
      const left: Jar = new Map([...(jar ?? [])].filter(([, cookie]) => name !== undefined && cookie.name !== name))
      if (left.size === 0) {
        rows.deleteSealedValue(`${PREFIX}${id}`)
        jars.delete(id)
      } else {
        rows.writeSealedValues([sealedRow(`${PREFIX}${id}`, left, parts)])
        jars.set(id, left)
      }
      late.settled(id)
    },
    move: (from, into) => {
      const jar = jars.get(from)
      if (jar === undefined) return undefined
      const joined = joinJars(jar, jars.get(into))
      const done = (): void => {
        jars.delete(from)
        jars.set(into, joined)
        for (const id of [from, into]) late.settled(id)
      }
      return { row: sealedRow(`${PREFIX}${into}`, joined, parts), done }
    },
    forget: ids => {
      for (const id of ids) {
        jars.delete(id)
        late.settled(id)
      }
    },
    rest: late.rest,
    wake: late.wake,
    close: late.close,
  }
}
