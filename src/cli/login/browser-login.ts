/** Sign-in through the browser of this machine. */

import { parseCallback } from "#accounts/sign-in/parse-callback.ts"
import { EXPIRED, type PendingLogin, startLogin } from "#accounts/sign-in/pending-login.ts"
import { refuse, type SignInRefusal } from "#accounts/sign-in/refusal.ts"

import { type CallbackPlace, startCallbackServer } from "./callback-server.ts"
import { finishLogin } from "./finish-login.ts"
import type { LoginContext, LoginOutcome } from "./login-context.ts"
import { resultPage } from "./result-page.ts"

/** What this way needs besides. */
export type BrowserLoginParts = {
  readonly place: CallbackPlace
  /** Returns false when there is no browser to be expected. */
  readonly open: (url: string) => boolean
}

const REPLACED: SignInRefusal = refuse(
  "login_cancelled",
  "Another sign-in was started and took over.",
  "Finish that one, or start this one again.",
)

/** Opens the page and waits for the browser to come back. Rejects when Ctrl-C ends it. */
export async function browserLogin(context: LoginContext, parts: BrowserLoginParts): Promise<LoginOutcome> {
  const outcome = Promise.withResolvers<LoginOutcome>()
  // The server's address is part of what the page is asked, so the sign-in can only start after it.
  const started = Promise.withResolvers<PendingLogin>()
  const server = await startCallbackServer(parts.place, {
    onCancel: () => outcome.resolve(REPLACED),
    onCallback: async address => answerBrowser(context, await started.promise, { address, outcome }),
  })
  try {
    const login = startLogin({ ...loginParts(context), redirectUri: server.redirectUri })
    started.resolve(login)
    announce(context, login, parts.open(login.url))
    return await firstOf(context, login, outcome)
  } finally {
    await server.stop()
  }
}

/** The parts of a sign-in that do not depend on the way it comes back. */
export function loginParts({ service, originator, clock, random }: LoginContext) {
  return { issuer: service.issuer, clientId: service.clientId, originator, clock, random }
}

function announce({ say }: LoginContext, { url }: PendingLogin, isOpened: boolean): void {
  say(isOpened ? "Your browser shows the sign-in page. If it does not, open this address:" : "Open this address:")
  say(`\n  ${url}\n`)
  if (!isOpened) say("The browser has to run on this machine; from another one use --no-browser or --device.")
}

type Visit = { readonly address: string; readonly outcome: PromiseWithResolvers<LoginOutcome> }

async function answerBrowser(context: LoginContext, login: PendingLogin, visit: Visit): Promise<Response> {
  const redeemed = login.redeem(parseCallback(visit.address))
  if (redeemed.type === "other") return refusalPage(redeemed.refusal)
  try {
    const ended = redeemed.type === "refused" ? redeemed : await finishLogin(context, redeemed.proof)
    visit.outcome.resolve(ended)
    if (ended.type === "refused") return refusalPage(ended)
    return resultPage(200, "Signed in", ["Sluice has the account. You can close this page."])
  } catch (error) {
    // Ctrl-C, or a bug: whoever waits for the outcome gets it as it is, and the page should not hang.
    visit.outcome.reject(error)
    return resultPage(500, "Not signed in", ["The sign-in broke off. Start it again."])
  }
}

function refusalPage({ message, hint }: SignInRefusal): Response {
  return resultPage(400, "Not signed in", [message, hint])
}

/** Whatever comes first: the browser, the end of the sign-in's life, Ctrl-C. */
async function firstOf(
  { clock, timers, signal, showWaiting }: LoginContext,
  login: PendingLogin,
  outcome: PromiseWithResolvers<LoginOutcome>,
): Promise<LoginOutcome> {
  const cancelTimer = timers.after(login.expiresAtMs - clock(), () => outcome.resolve(EXPIRED))
  const onAbort = () => outcome.reject(signal.reason)
  signal.addEventListener("abort", onAbort, { once: true })
  if (signal.aborted) onAbort()
  const stopWaiting = showWaiting("Waiting for the sign-in in the browser")
  try {
    return await outcome.promise
  } finally {
    stopWaiting()
    cancelTimer()
    signal.removeEventListener("abort", onAbort)
  }
}
