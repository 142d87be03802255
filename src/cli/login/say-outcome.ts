/** What a sign-in's end looks like on the terminal and as JSON; neither holds a secret. */

import { basename } from "node:path"

import type { SavedAccount } from "#accounts/sign-in/save-account.ts"
import { maskLabel } from "#core/account.ts"

import type { LoginOutcome } from "./login-context.ts"

/** Returns the text for people: the account is masked, because terminals are shown to others. */
export function outcomeText(outcome: LoginOutcome, authDir: string): string {
  if (outcome.type === "refused") return `sluice login: ${outcome.message}\n  ${outcome.hint}\n`
  const { account, change, path } = outcome.saved
  const plan = account.plan === undefined ? "" : ` (${account.plan})`
  const lines = [
    `Signed in as ${maskLabel(account.label)}${plan}; its file was ${change} in ${authDir}. A running gateway with this folder picks it up by itself.`,
    ...(account.disabled ? [`The account is disabled in ${basename(path)}; take "disabled" out to let it serve.`] : []),
    ...(canRefresh(outcome.saved)
      ? []
      : ["The answer held no refresh token: it serves until its access token expires."]),
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
  const { account, change, path } = outcome.saved
  return {
    signedIn: true,
    id: account.id,
    label: maskLabel(account.label),
    plan: account.plan ?? null,
    file: path,
    change,
    disabled: account.disabled,
    canRefresh: canRefresh(outcome.saved),
  }
}

function canRefresh({ account }: SavedAccount): boolean {
  return account.credential.type === "chatgpt" && account.credential.refreshToken !== undefined
}
