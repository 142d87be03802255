/** The cookies of one account, and how many it can have. */

import { GatewayError } from "#core/errors.ts"

import { type Cookie, cookieKey, isExpired } from "./cookie.ts"

/** Cookies by their key; the first is the one that has not been set for the longest. */
export type Jar = Map<string, Cookie>

const MAX_COOKIES = 50
/** Servers refuse longer headers. */
const MAX_JAR_BYTES = 12 * 1024

function sizeBytes(jar: Jar): number {
  let sum = 0
  for (const { name, value } of jar.values()) sum += name.length + value.length + 3
  return sum
}

/** True for more cookies than an account can have. */
export function isTooFull(jar: Jar): boolean {
  return jar.size > MAX_COOKIES || sizeBytes(jar) > MAX_JAR_BYTES
}

/** The refusal of cookies that would make it so. */
export function tooFull(): GatewayError {
  return new GatewayError("invalid-request", "That is more than fits into one account's cookies.", {
    code: "cookies_too_large",
    hint: `An account has at most ${MAX_COOKIES} cookies of ${MAX_JAR_BYTES / 1024} KiB together; delete some first.`,
  })
}

/** Adds a cookie, or takes one away that comes with its end. */
export function lay(jar: Jar, cookie: Cookie, nowMs: number): void {
  const key = cookieKey(cookie)
  // Anew at the end, so that the order stays that of the last setting.
  jar.delete(key)
  if (!isExpired(cookie, nowMs)) jar.set(key, cookie)
}

/** Both jars in one. Of two cookies with one key that of `present` stays, and where there is too much, so do its others. */
export function joinJars(coming: Jar, present: Jar | undefined): Jar {
  const joined: Jar = new Map([...(present ?? []), ...[...coming].filter(([key]) => present?.has(key) !== true)])
  for (const key of coming.keys()) if (isTooFull(joined) && present?.has(key) !== true) joined.delete(key)
  return joined
}
