/** Sign-in with a code that the user types in on any device. */

import { awaitDeviceGrant, startDeviceLogin } from "#accounts/sign-in/device-flow.ts"

import { finishLogin } from "./finish-login.ts"
import type { LoginContext, LoginOutcome } from "./login-context.ts"

/** Prints the code and waits until it was entered. Rejects when Ctrl-C ends it. */
export async function deviceLogin(context: LoginContext): Promise<LoginOutcome> {
  const { service, clock, timers, signal, say } = context
  const parts = { service, clock, timers, signal }
  const login = await startDeviceLogin(parts)
  if (login.type === "refused") return login
  say(`Open this address on any device and enter the code:\n\n  ${login.pageUrl}\n  ${login.userCode}\n`)
  say("The code counts for fifteen minutes. Give it to nobody: whoever asked you for it would get your account.")
  const stopWaiting = context.showWaiting("Waiting for the code to be entered")
  try {
    const grant = await awaitDeviceGrant(parts, login)
    return grant.type === "refused" ? grant : await finishLogin(context, grant.proof)
  } finally {
    stopWaiting()
  }
}
