/** Sign-in in a browser on any machine; the user pastes what it ends on. */

import { parseCallback } from "#accounts/sign-in/parse-callback.ts"
import { startLogin } from "#accounts/sign-in/pending-login.ts"
import { refuse, type SignInRefusal } from "#accounts/sign-in/refusal.ts"

import { loginParts } from "./browser-login.ts"
import { finishLogin } from "./finish-login.ts"
import type { LoginContext, LoginOutcome } from "./login-context.ts"

/** Nobody has to listen there: the browser shows an error page, and its address is what counts. */
const REDIRECT_URI = "http://localhost:1455/auth/callback"

const NOTHING_PASTED: SignInRefusal = refuse(
  "nothing_pasted",
  "The input ended before an answer was pasted.",
  "Start the sign-in again and paste the address the browser ends on, or use --device.",
)

/** Prints the address and reads lines until one is the answer. Rejects when Ctrl-C ends it. */
export async function pastedLogin(context: LoginContext, lines: AsyncIterable<string>): Promise<LoginOutcome> {
  const { say, signal } = context
  const login = startLogin({ ...loginParts(context), redirectUri: REDIRECT_URI })
  say(`Open this address in any browser and sign in:\n\n  ${login.url}\n`)
  say(
    "The browser then goes to an address that begins with http://localhost:1455 and cannot be shown; that is as it should be.",
  )
  say("Paste that address here (the code alone works too) and press Enter:")
  const input = lines[Symbol.asyncIterator]()
  for (;;) {
    const line = await orAborted(input.next(), signal)
    if (line.done === true) return NOTHING_PASTED
    if (line.value.trim() === "") continue
    const redeemed = login.redeem(parseCallback(line.value))
    if (redeemed.type === "refused") return redeemed
    if (redeemed.type === "proof") return finishLogin(context, redeemed.proof)
    say(`${redeemed.refusal.message} ${redeemed.refusal.hint}`)
  }
}

/** A read of standard input cannot be called off; it is left behind. */
async function orAborted<T>(reading: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener("abort", onAbort, { once: true })
  try {
    return await Promise.race([reading, promise])
  } finally {
    signal.removeEventListener("abort", onAbort)
  }
}
