/** The accounts of the simulated backend: who they are and in which state. */

import { GatewayError } from "#core/errors.ts"
import type { Ids } from "#simulator/ids.ts"

/** Whether the account, or the workspace it belongs to, is still served. */
export type AccountLifecycle = "active" | "deactivated" | "workspace-deactivated"

/** One account. Replaced whole when anything about it changes. */
export type SimulatedAccount = {
  /** The simulator's own handle, used in control calls: `account-1`, … */
  readonly name: string
  /** Value of the `ChatGPT-Account-ID` header. */
  readonly workspaceId: string
  readonly userId: string
  readonly email: string
  readonly plan: string
  readonly fedramp: boolean
  readonly lifecycle: AccountLifecycle
  /** How long an access token made from now on holds. */
  readonly accessLifetimeSec: number
  /** The public API key of the same person, for the `/v1` paths. */
  readonly apiKey: string
  /** Slugs that are kept from this account although its plan has them. */
  readonly hiddenModels: readonly string[]
}

/** What may be stated when an account is made or changed. */
export type AccountPatch = Partial<Omit<SimulatedAccount, "name">>

/** The registry; lookups by name, by API key, in order of creation. */
export type Accounts = {
  readonly create: (patch?: AccountPatch & { readonly name?: string }) => SimulatedAccount
  /** Throws `not-found` for an unknown name. */
  readonly update: (name: string, patch: AccountPatch) => SimulatedAccount
  /** Throws `not-found` for an unknown name. */
  readonly get: (name: string) => SimulatedAccount
  readonly byApiKey: (apiKey: string) => SimulatedAccount | undefined
  readonly list: () => readonly SimulatedAccount[]
}

/** Life of an access token when nothing else is said: ten days, as observed. */
const DEFAULT_ACCESS_LIFETIME_SEC = 864_000

/** Makes an empty registry. */
export function makeAccounts(parts: { readonly ids: Ids }): Accounts {
  const accounts = new Map<string, SimulatedAccount>()
  const names = new Map<string, string>()
  const store = (account: SimulatedAccount) => {
    accounts.set(account.name, account)
    names.set(account.apiKey, account.name)
    return account
  }
  const get = (name: string) => {
    const account = accounts.get(name)
    if (account === undefined) throw new GatewayError("not-found", `The simulator has no account "${name}".`)
    return account
  }
  return {
    create: (patch = {}) => {
      const name = patch.name ?? `account-${accounts.size + 1}`
      return store({
        name,
        workspaceId: parts.ids.uuid(),
        userId: `user-${parts.ids.hex(24)}`,
        email: `${name}@simulator.invalid`,
        plan: "plus",
        fedramp: false,
        lifecycle: "active",
        accessLifetimeSec: DEFAULT_ACCESS_LIFETIME_SEC,
        apiKey: `sk-simulated-${parts.ids.hex(32)}`,
        hiddenModels: [],
        ...patch,
      })
    },
    update: (name, patch) => store({ ...get(name), ...patch }),
    get,
    byApiKey: apiKey => {
      const name = names.get(apiKey)
      return name === undefined ? undefined : accounts.get(name)
    },
    list: () => [...accounts.values()],
  }
}
