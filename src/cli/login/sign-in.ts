/** One sign-in in the way that was asked for, with the parts of this machine. */

import { prepareAccountFolder, saveAccount } from "#accounts/sign-in/save-account.ts"
import type { CommandIo } from "#cli/command.ts"
import { randomBytes } from "#cli/compose/random-bytes.ts"
import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { SendUpstream } from "#core/upstream.ts"
import { parseEgress } from "#transport/egress.ts"
import { makeSender } from "#transport/sender.ts"

import { browserLogin } from "./browser-login.ts"
import { deviceLogin } from "./device-login.ts"
import type { LoginContext, LoginOutcome } from "./login-context.ts"
import type { OpenBrowser } from "./open-browser.ts"
import { pastedLogin } from "./pasted-login.ts"
import { showWaiting } from "./show-waiting.ts"
import type { LoginWish } from "./wish.ts"

/** The user's browser and keyboard. */
export type LoginParts = {
  readonly open: OpenBrowser
  /** Lines of standard input. */
  readonly lines: () => AsyncIterable<string>
}

/** One run of the command. */
export type LoginRun = {
  readonly wish: LoginWish
  readonly config: Config
  readonly io: CommandIo
  /** Takes what is said on the way. */
  readonly write: (text: string) => void
}

/** Signs in. Throws `GatewayError` for what stands in the way here, and rejects when Ctrl-C ends it. */
export async function signIn(run: LoginRun, parts: LoginParts): Promise<LoginOutcome> {
  const { wish, config, io } = run
  await prepareAccountFolder(config.authDir)
  const sender = makeSender({ egress: parseEgress(config.proxyUrl), clock: systemClock })
  try {
    const context = contextOf(run, sender.send)
    switch (wish.type) {
      case "browser":
        return await browserLogin(context, {
          place: { port: wish.port, signal: io.signal },
          open: url => parts.open(url, io.env),
        })
      case "pasted":
        return await pastedLogin(context, parts.lines())
      case "device":
        return await deviceLogin(context)
    }
  } finally {
    sender.close()
  }
}

function contextOf({ config, io, write }: LoginRun, send: SendUpstream): LoginContext {
  return {
    service: { ...config.oauth, send },
    originator: config.upstreamIdentity.originator,
    clock: systemClock,
    timers: systemTimers,
    random: randomBytes,
    signal: io.signal,
    say: text => write(`${text}\n`),
    showWaiting: what => showWaiting(what, { write, clock: systemClock, isTerminal: io.isTerminal }),
    save: account => saveAccount(config.authDir, account),
  }
}
