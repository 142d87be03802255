/** The parts of one `sluice login`, made from the configuration. */

import { saveAccount } from "#accounts/sign-in/save-account.ts"
import type { CommandIo } from "#cli/command.ts"
import { randomBytes } from "#cli/compose/random-bytes.ts"
import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { parseEgress } from "#transport/egress.ts"
import { makeSender } from "#transport/sender.ts"

import type { LoginContext } from "./login-context.ts"
import { showWaiting } from "./show-waiting.ts"
import type { LoginWish } from "./wish.ts"

/** One run of the command. */
export type LoginRun = {
  readonly wish: LoginWish
  readonly config: Config
  readonly io: CommandIo
  /** Takes what is said on the way. */
  readonly write: (text: string) => void
}

/** Opens the way to the sign-in service. Throws for a proxy that cannot be used: nothing goes around it. */
export function openContext({ config, io, write }: LoginRun): {
  readonly context: LoginContext
  readonly close: () => void
} {
  const sender = makeSender({ egress: parseEgress(config.proxyUrl), clock: systemClock })
  const context: LoginContext = {
    service: { ...config.oauth, send: sender.send },
    originator: config.upstreamIdentity.originator,
    clock: systemClock,
    timers: systemTimers,
    random: randomBytes,
    signal: io.signal,
    say: text => write(`${text}\n`),
    showWaiting: what => showWaiting(what, { write, clock: systemClock, isTerminal: io.isTerminal }),
    save: account => saveAccount(config.authDir, account),
  }
  return { context, close: sender.close }
}
