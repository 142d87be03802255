/** `sluice login`: signs a ChatGPT account in and hands it to the gateway, or puts it into the gateway's data folder. */

import { refuse } from "#accounts/sign-in/refusal.ts"
import { readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { GatewayError } from "#core/errors.ts"

import type { Command, CommandIo } from "./command.ts"
import { configLoader } from "./config-loader.ts"
import type { LoginOutcome } from "./login/login-context.ts"
import { gatewayOf, type LoginRun } from "./login/login-run.ts"
import { openBrowser } from "./login/open-browser.ts"
import { outcomeFacts, outcomeText } from "./login/say-outcome.ts"
import { type LoginParts, signIn } from "./login/sign-in.ts"
import { LOGIN_FLAGS, readWish } from "./login/wish.ts"

const HELP = `sluice login [--no-browser | --device | --port N] [--gateway URL] [--json] [--config FILE] [--<key> VALUE …]

Signs a ChatGPT account of yours in. It goes to the gateway that runs on \`data-dir\`, which serves it at once, or into that
folder's database. Signing the same account in again replaces its credential, in its file where it lives in one, and takes
it out of the recycle bin; other accounts are never touched.

  (no flag)       opens the sign-in page in the browser of this machine, which comes back to port 1455 or 1457
  --no-browser    prints the address for a browser on any machine; you paste the address it ends on
  --device        prints a code to enter on any device; has to be allowed in ChatGPT's security settings
  --port N        another port to come back to; the sign-in service itself knows only 1455 and 1457
  --gateway URL   another machine's gateway gets the account; \`admin-key\` has to be its key
  --json          print one JSON object at the end, without secrets; everything else goes to standard error
  --config FILE   the configuration that names \`data-dir\`, \`admin-key\`, \`proxy-url\` and \`oauth\`
  --<key> VALUE   any of its settings

The sign-in must then live in Sluice alone: a refresh token works once, and whoever uses it second is signed out.
`

/** Makes the `login` verb; a test has its own browser and its own keyboard. */
export function makeLoginCommand(parts: LoginParts): Command {
  return {
    name: "login",
    summary: "sign a ChatGPT account in and add it to your accounts",
    help: HELP,
    run: (args, io) => runLogin(parts, args, io),
  }
}

async function runLogin(parts: LoginParts, args: readonly string[], io: CommandIo): Promise<number> {
  const line = readCommandLine(args, LOGIN_FLAGS)
  const wish = readWish(line)
  if (wish.type === "wrong") return wrongUsage(io, wish.message)
  const result = await configLoader(line, io).load()
  if (result.type === "refused") {
    for (const problem of result.problems) io.stderr(`${formatProblem(problem)}\n`)
    return 1
  }
  const asJson = line.own.has("--json")
  const write = asJson ? io.stderr : io.stdout
  const run = { wish, config: result.loaded.config, io, gateway: gatewayOf(line), write }
  const outcome = await outcomeOf(run, parts)
  if (asJson) io.stdout(`${JSON.stringify(outcomeFacts(outcome))}\n`)
  else (outcome.type === "refused" ? io.stderr : io.stdout)(outcomeText(outcome))
  return outcome.type === "refused" ? 1 : 0
}

/** The `login` verb of this machine. */
export const loginCommand = makeLoginCommand({ open: openBrowser, lines: () => console })

/** Every expected end as a value, because `--json` has to tell them all. */
async function outcomeOf(run: LoginRun, parts: LoginParts): Promise<LoginOutcome> {
  try {
    return await signIn(run, parts)
  } catch (error) {
    if (run.io.signal.aborted) {
      return refuse("cancelled", "Cancelled; no account was added.", "`sluice login` starts again.")
    }
    if (!(error instanceof GatewayError)) throw error
    return refuse(error.kind, error.message, error.hint ?? "Start the sign-in again.")
  }
}

function wrongUsage(io: CommandIo, message: string): number {
  io.stderr(`sluice login: ${message}\n  \`sluice login --help\` shows how it is used.\n`)
  return 2
}
