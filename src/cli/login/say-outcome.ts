/** What a sign-in's end looks like on the terminal and as JSON; neither holds a secret. */

import type { LoginOutcome } from "./login-context.ts"
import type { SavedAccount } from "./save-login.ts"

/** What was done, in words. */
const CHANGES: Readonly<Record<SavedAccount["change"], string>> = {
  added: "The account was added to",
  replaced: "Its sign-in was replaced in",
  restored: "The account was taken out of the recycle bin of",
}

/** Returns the text for people: the account is masked, because terminals are shown to others. */
export function outcomeText(outcome: LoginOutcome): string {
  if (outcome.type === "refused") return `sluice login: ${outcome.message}\n  ${outcome.hint}\n`
  const { id, label, plan, where, file, change, isPaused, canRefresh } = outcome.saved
  const lines = [
    `Signed in as ${label}${plan === null ? "" : ` (${plan})`}.`,
    `${CHANGES[change]} ${where}${file === null ? "" : `, in its file ${file}`}.`,
    ...(isPaused ? [`It is paused: \`sluice accounts enable ${id}\` lets it serve.`] : []),
    ...(canRefresh ? [] : ["The answer held no refresh token: it serves until its access token expires."]),
    "Warning: this sign-in must not also live in another program. A refresh token works once; whoever refreshes second is signed out.",
  ]
  return `${lines.join("\n")}\n`
}

/** Returns the facts for programs. */
export function outcomeFacts(outcome: LoginOutcome): object {
  if (outcome.type === "refused") {
    const { code, message, hint } = outcome
    return { signedIn: false, code, message, hint }
  }
  const { id, label, plan, where, file, change, isPaused, canRefresh } = outcome.saved
  return { signedIn: true, id, label, plan, where, file, change, paused: isPaused, canRefresh }
}
