/** One flight: everything that happens to one refresh token from the first look at its file to the published successor. */

import type { Rotation } from "#accounts/credentials/credential-vault.ts"
import { withCredential } from "#accounts/credentials/resolve-account.ts"
import { readTokenClaims } from "#accounts/jwt.ts"
import type { Account, Credential } from "#core/account.ts"

import { isReusedCode } from "./refresh-codes.ts"
import type { RefreshDoubts } from "./refresh-doubts.ts"
import type { RefreshEntries, RefreshEntry } from "./refresh-entries.ts"
import { decideFailure, type FailedAnswer } from "./refresh-failure.ts"
import type { Unit } from "./refresh-schedule.ts"
import { exchangeRefreshToken, type RefreshAnswer, type RenewedTokens } from "./refresh-token.ts"
import type { RefresherParts, RefreshFailure } from "./refresh-types.ts"

type ChatGptCredential = Extract<Credential, { type: "chatgpt" }>

/** How a flight ended; the accounts themselves are in the book. */
export type FlightEnd =
  | { readonly type: "renewed" }
  | { readonly type: "adopted" }
  | { readonly type: "failed"; readonly failure: RefreshFailure }

/** What flights work with. */
export type FlightParts = Pick<
  RefresherParts,
  "send" | "endpoint" | "clock" | "timers" | "commit" | "reload" | "intents" | "emit"
> & {
  readonly entries: RefreshEntries
  readonly doubts: RefreshDoubts
  readonly jitter: () => Unit
  /** A rotation could not be made durable: nothing else may start. */
  readonly onHeld: () => void
}

/** The exchange's own deadline; no client can shorten it. */
const CALL_TIMEOUT_MS = 30_000

/** Clocks that differ by less leave a token of an hour long enough. */
const TOLERATED_SKEW_MS = 5 * 60_000

/** The failure of a flight whose accounts left meanwhile, or that was never allowed to start. */
export function failureOf(code: string): RefreshFailure {
  return { class: "transient", code, confirmed: false }
}

/** Reads the account's file again and puts what it finds into the book; true when its refresh token is another now. */
async function adoptNewer(parts: FlightParts, account: Account, fingerprint: string): Promise<boolean> {
  const { entries, reload, emit } = parts
  const found = await reload(account)
  if (found === undefined || found.id !== account.id) return false
  const { account: present, fingerprint: presentFingerprint } = entries.put(found)
  if (presentFingerprint === fingerprint || presentFingerprint === undefined) return false
  emit({ type: "credential-renewed", account: present })
  return true
}

async function callEndpoint(
  parts: FlightParts,
  refreshToken: string,
  egress: string | undefined,
): Promise<RefreshAnswer> {
  const deadline = new AbortController()
  const cancelTimer = parts.timers.after(CALL_TIMEOUT_MS, () => deadline.abort())
  try {
    const { send, endpoint } = parts
    return await exchangeRefreshToken({ send, endpoint, refreshToken, egress, signal: deadline.signal })
  } finally {
    cancelTimer()
  }
}

/**
 * When a token that was issued just now expires, by our own clock. A token says it by its issuer's: where the two are an
 * hour apart, one that lives an hour would look spent from its first moment on.
 */
function expiryOfNew(tokens: RenewedTokens, accessToken: string, nowMs: number): number | undefined {
  const { expiresAtMs, issuedAtMs } = readTokenClaims(accessToken)
  const statedMs = tokens.expiresInSec === undefined ? undefined : nowMs + tokens.expiresInSec * 1000
  if (expiresAtMs === undefined) return statedMs
  if (issuedAtMs === undefined || Math.abs(issuedAtMs - nowMs) <= TOLERATED_SKEW_MS) return expiresAtMs
  return statedMs ?? nowMs + expiresAtMs - issuedAtMs
}

/** The successor of `present`; what the answer left out stays. */
function renew(present: ChatGptCredential, tokens: RenewedTokens, nowMs: number): ChatGptCredential {
  const accessToken = tokens.accessToken ?? present.accessToken
  const expiresAtMs = tokens.accessToken === undefined ? present.expiresAtMs : expiryOfNew(tokens, accessToken, nowMs)
  const refreshToken = tokens.refreshToken ?? present.refreshToken
  const idToken = tokens.idToken ?? present.idToken
  return {
    type: "chatgpt",
    accessToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(idToken === undefined ? {} : { idToken }),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    lastRefreshAtMs: nowMs,
    generation: present.generation + 1,
  }
}

function rotationOf(entry: RefreshEntry, fingerprint: string, tokens: RenewedTokens, nowMs: number): Rotation[] {
  const previous = entry.account.credential
  if (previous.type !== "chatgpt") return []
  const credential = renew(previous, tokens, nowMs)
  const plan = readTokenClaims(credential.accessToken).plan ?? entry.account.plan
  const account = { ...withCredential(entry.account, credential), ...(plan === undefined ? {} : { plan }) }
  return [{ account, credential, previous, fingerprint }]
}

/** What operators ordered while the successor was being stored counts, above all by which way the account goes out. */
function asOrdered({ egress: _, ...renewed }: Account, { disabled, egress }: Account): Account {
  return { ...renewed, disabled, ...(egress !== undefined && { egress }) }
}

/** First durable, then visible: whoever sees the new credential may rely on it. */
async function publish(
  parts: FlightParts,
  holders: readonly RefreshEntry[],
  fingerprint: string,
  tokens: RenewedTokens,
): Promise<FlightEnd> {
  const { entries, commit, clock, emit, onHeld } = parts
  const nowMs = clock()
  const rotations = holders.flatMap(holder => rotationOf(holder, fingerprint, tokens, nowMs))
  if ((await commit(rotations)) === "held") onHeld()
  for (const { account } of rotations) {
    // An account that was removed or signed in anew meanwhile stays so; file and row hold the successor.
    const present = entries.get(account.id)
    if (present?.fingerprint !== fingerprint) continue
    emit({ type: "credential-renewed", account: entries.put(asOrdered(account, present.account)).account })
  }
  return { type: "renewed" }
}

function isRefusal(answer: FailedAnswer): boolean {
  return answer.class === "permanent" || answer.class === "suspended"
}

function settleFailure(parts: FlightParts, fingerprint: string, answer: FailedAnswer): FlightEnd {
  const { entries, clock, jitter, emit } = parts
  let failure = failureOf("account-removed")
  for (const entry of entries.withFingerprint(fingerprint)) {
    const decision = decideFailure(entry, answer, { nowMs: clock(), jitter: jitter() })
    const accountId = entry.account.id
    failure = decision.failure
    entries.update(accountId, decision.change)
    emit({ type: "refresh-failed", accountId, failure })
    if (answer.class === "ambiguous") emit({ type: "credential-uncertain", accountId, origin: "lost-answer" })
    if (decision.effect !== undefined) {
      const afterLostAnswer = entry.lostAnswers > 0 && isReusedCode(answer.code)
      emit({ type: "account-effect", accountId, effect: decision.effect, detail: answer.code, afterLostAnswer })
    }
  }
  return { type: "failed", failure }
}

const STORAGE_FAILED: FailedAnswer = { type: "failed", class: "transient", code: "storage" }

/** False when the intent could not be noted: then its successor could not be stored either, and the call must not be made. */
function beginIntent(parts: FlightParts, account: Account, fingerprint: string): boolean {
  try {
    parts.intents.begin(account, fingerprint)
    return true
  } catch {
    // Becomes a planned failure with the code `storage`, which is emitted.
    return false
  }
}

/** Flies one refresh token. Never rejects unless a part breaks its promise. */
export async function flyRefresh(parts: FlightParts, fingerprint: string): Promise<FlightEnd> {
  const account = parts.entries.withFingerprint(fingerprint)[0]?.account
  if (account === undefined) return { type: "failed", failure: failureOf("account-removed") }
  if (await adoptNewer(parts, account, fingerprint)) return { type: "adopted" }
  if (account.credential.type !== "chatgpt" || account.credential.refreshToken === undefined) {
    return { type: "failed", failure: failureOf("no-refresh-token") }
  }
  if (!beginIntent(parts, account, fingerprint)) return settleFailure(parts, fingerprint, STORAGE_FAILED)
  const before = parts.entries.withFingerprint(fingerprint)
  const answer = await callEndpoint(parts, account.credential.refreshToken, account.egress)
  if (answer.type === "renewed") {
    // Whoever leaves during the call still gets its successor stored, and whoever joins must not keep a spent token.
    const holders = new Map(
      [...before, ...parts.entries.withFingerprint(fingerprint)].map(entry => [entry.account.id, entry]),
    )
    return publish(parts, [...holders.values()], fingerprint, answer.tokens)
  }
  if (isRefusal(answer) && (await adoptNewer(parts, account, fingerprint))) {
    parts.doubts.afterFailure(fingerprint, answer)
    return { type: "adopted" }
  }
  parts.doubts.afterFailure(fingerprint, answer)
  return settleFailure(parts, fingerprint, answer)
}
