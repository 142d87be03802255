/** One sign-in in the way that was asked for. */

import { browserLogin } from "./browser-login.ts"
import { LOGIN_PORTS } from "./callback-server.ts"
import { deviceLogin } from "./device-login.ts"
import type { LoginOutcome } from "./login-context.ts"
import { adminWish, type LoginRun, openContext } from "./login-run.ts"
import type { OpenBrowser } from "./open-browser.ts"
import { pastedLogin } from "./pasted-login.ts"
import { checkSaving } from "./save-login.ts"

/** The user's browser and keyboard. */
export type LoginParts = {
  readonly open: OpenBrowser
  /** Lines of standard input. */
  readonly lines: () => AsyncIterable<string>
}

/** Signs in. Throws `GatewayError` for what stands in the way here, and rejects when Ctrl-C ends it. */
export async function signIn(run: LoginRun, parts: LoginParts): Promise<LoginOutcome> {
  const { wish, io } = run
  await checkSaving(adminWish(run))
  const { context, close } = openContext(run)
  try {
    switch (wish.type) {
      case "browser":
        return await browserLogin(context, {
          place: { ports: wish.port === undefined ? LOGIN_PORTS : [wish.port], signal: io.signal },
          open: url => parts.open(url, io.env),
        })
      case "pasted":
        return await pastedLogin(context, parts.lines())
      case "device":
        return await deviceLogin(context)
    }
  } finally {
    close()
  }
}
