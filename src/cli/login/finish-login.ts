/** The end of every sign-in: code → tokens → account. */

import { accountOfTokens } from "#accounts/sign-in/account-of-tokens.ts"
import { type CodeProof, exchangeCode } from "#accounts/sign-in/exchange-code.ts"
import { refuse } from "#accounts/sign-in/refusal.ts"
import { GatewayError } from "#core/errors.ts"

import type { LoginContext, LoginOutcome } from "./login-context.ts"

/** Exchanges the code and saves the account. Rejects only when Ctrl-C ends the exchange. */
export async function finishLogin(context: LoginContext, proof: CodeProof): Promise<LoginOutcome> {
  const { service, clock, signal, save } = context
  const answer = await exchangeCode(service, proof, signal)
  if (answer.type === "refused") return answer
  try {
    return { type: "signed-in", saved: await save(accountOfTokens(answer.tokens, clock())) }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    // The page in the browser has to hear of it too, hence a value.
    return refuse("not_saved", error.message, error.hint ?? "Start the sign-in again.")
  }
}
