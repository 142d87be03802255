/** Switches of the sign-in service, per account, and whom a login page would sign in. */

/** How the token endpoint behaves towards one account. */
export type SignInSwitches = {
  /** Answers without `refresh_token`; the old one stays good. */
  readonly omitRefreshToken: boolean
  readonly omitIdToken: boolean
  /** So many refreshes consume the token and then break the connection off. */
  readonly dropAfterConsuming: number
  /** So long after the token was used up does the answer leave; meanwhile the successor is the current token. */
  readonly answerDelayMs: number
  /** Refuses with this code, e.g. `refresh_token_expired`; "" = serves. */
  readonly failWith: string
}

const DEFAULT_SWITCHES: SignInSwitches = {
  omitRefreshToken: false,
  omitIdToken: false,
  dropAfterConsuming: 0,
  answerDelayMs: 0,
  failWith: "",
}

/** The switches of all accounts. */
export type SignIn = {
  readonly read: (account: string) => SignInSwitches
  readonly change: (account: string, patch: Partial<SignInSwitches>) => void
  /** The account the next login signs in; undefined = the first one. */
  readonly nextLogin: () => string | undefined
  readonly chooseLogin: (account: string | undefined) => void
}

/** Makes switches that are all off. */
export function makeSignIn(): SignIn {
  const switches = new Map<string, SignInSwitches>()
  let chosen: string | undefined
  const read = (account: string) => switches.get(account) ?? DEFAULT_SWITCHES
  return {
    read,
    change: (account, patch) => {
      switches.set(account, { ...read(account), ...patch })
    },
    nextLogin: () => chosen,
    chooseLogin: account => {
      chosen = account
    },
  }
}
