/** `sluice login`: signs a ChatGPT account in and puts its file where the gateway looks for accounts. */

import { refuse } from "#accounts/sign-in/refusal.ts"
import { readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { GatewayError } from "#core/errors.ts"

import type { Command, CommandIo } from "./command.ts"
import { configLoader } from "./config-loader.ts"
import type { LoginOutcome } from "./login/login-context.ts"
import type { LoginRun } from "./login/login-run.ts"
import { openBrowser } from "./login/open-browser.ts"
import { outcomeFacts, outcomeText } from "./login/say-outcome.ts"
import { type LoginParts, signIn } from "./login/sign-in.ts"
import { LOGIN_FLAGS, readWish } from "./login/wish.ts"

const HELP = `sluice login [--auth-dir DIR] [--no-browser | --device | --port N] [--json] [--config FILE] [--<key> VALUE …]

Signs a ChatGPT account of yours in and writes its file into \`auth-dir\`. A running gateway picks it up by itself.
Signing the same account in again replaces its credential; files of other accounts are never touched.

  (no flag)       opens the sign-in page in the browser of this machine, which comes back to port 1455 or 1457
  --no-browser    prints the address for a browser on any machine; you paste the address it ends on
  --device        prints a code to enter on any device; has to be allowed in ChatGPT's security settings
  --port N        another port to come back to; the sign-in service itself knows only 1455 and 1457
  --auth-dir DIR  folder for the account file (default ./auths)
  --json          print one JSON object at the end, without secrets; everything else goes to standard error
  --config FILE   the configuration that names \`auth-dir\`, \`proxy-url\` and \`oauth\`
  --<key> VALUE   any of its settings

The sign-in must then live in Sluice alone: a refresh token works once, and whoever uses it second is signed out.
`

/** Makes the `login` verb; a test has its own browser and its own keyboard. */
export function makeLoginCommand(parts: LoginParts): Command {
  return {
    name: "login",
    summary: "sign a ChatGPT account in and add it to your accounts",
    help: HELP,
    run: async (args, io) => {
      const line = readCommandLine(args, LOGIN_FLAGS)
      const wish = readWish(line)
      if (wish.type === "wrong") return wrongUsage(io, wish.message)
      const result = await configLoader(line, io).load()
      if (result.type === "refused") {
        for (const problem of result.problems) io.stderr(`${formatProblem(problem)}\n`)
        return 1
      }
      const { config } = result.loaded
      const asJson = line.own.has("--json")
      const outcome = await outcomeOf({ wish, config, io, write: asJson ? io.stderr : io.stdout }, parts)
      if (asJson) io.stdout(`${JSON.stringify(outcomeFacts(outcome))}\n`)
      else if (outcome.type === "refused") io.stderr(outcomeText(outcome, config.authDir))
      else io.stdout(outcomeText(outcome, config.authDir))
      return outcome.type === "refused" ? 1 : 0
    },
  }
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
