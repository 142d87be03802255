/** The parts of one `sluice login`, made from the configuration. */

import { type AdminWish, readGatewayUrl } from "#cli/admin/open-admin.ts"
import type { CommandIo } from "#cli/command.ts"
import { randomBytes } from "#cli/compose/random-bytes.ts"
import type { Config } from "#config/config.ts"
import type { CommandLine } from "#config/flag-layer.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { parseEgress } from "#transport/egress.ts"
import { makeSender } from "#transport/sender.ts"

import type { LoginContext } from "./login-context.ts"
import { saveLogin } from "./save-login.ts"
import { showWaiting } from "./show-waiting.ts"
import type { LoginWish } from "./wish.ts"

/** One run of the command. */
export type LoginRun = {
  readonly wish: LoginWish
  readonly config: Config
  readonly io: CommandIo
  /** The gateway that gets the account, if one was named. */
  readonly gateway: URL | undefined
  /** Takes what is said on the way. */
  readonly write: (text: string) => void
}

/** The gateway that `--gateway` names. Throws `invalid-request` for what is no address. */
export function gatewayOf({ own }: CommandLine): URL | undefined {
  const given = own.get("--gateway")
  return typeof given === "string" ? readGatewayUrl(given) : undefined
}

/** How the account gets to the gateway. What goes wrong on the way is said like everything else. */
export function adminWish({ config, io, gateway }: LoginRun): AdminWish {
  return { config, io, gateway }
}

/** Opens the way to the sign-in service. Throws for a proxy that cannot be used: nothing goes around it. */
export function openContext(run: LoginRun): {
  readonly context: LoginContext
  readonly close: () => void
} {
  const { config, io, write } = run
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
    save: account => saveLogin(adminWish(run), account),
  }
  return { context, close: sender.close }
}
