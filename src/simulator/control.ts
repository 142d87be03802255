/** The handle by which tests and the control endpoint steer a simulator. */

import { type AccountFile, accountFile, type CodexAuthFile, codexAuthFile } from "./accounts/account-files.ts"
import type { AccountPatch, SimulatedAccount } from "./accounts/accounts.ts"
import type { QuotaPatch, QuotaState } from "./accounts/quota.ts"
import type { ResetCredit } from "./accounts/reset-credits.ts"
import type { AccessState, RefreshState } from "./accounts/sessions.ts"
import type { SignInSwitches } from "./accounts/sign-in.ts"
import type { BackendRules } from "./checks/checked-call.ts"
import type { RecordedRequest, RecordFilter } from "./recorder.ts"
import type { Script } from "./scripts/scripts.ts"
import type { OpenSocket } from "./socket/sockets.ts"
import type { World } from "./world.ts"

/** What the token endpoint knows. */
export type TokenStates = {
  /** Exchanges that were received and are not answered yet. */
  readonly openExchanges: number
  /** Exchanges that gave a successor. */
  readonly rotations: number
  readonly accounts: readonly {
    readonly name: string
    readonly userId: string
    readonly workspaceId: string
    /** Those that still work: one of each sign-in. */
    readonly liveRefreshTokens: readonly string[]
  }[]
}

/** Accounts are named by their simulator name, `account-1`. An unknown name throws `not-found`. */
export type SimulatorControl = {
  readonly createAccount: (patch?: AccountPatch & { readonly name?: string }) => SimulatedAccount
  readonly updateAccount: (name: string, patch: AccountPatch) => SimulatedAccount
  readonly accounts: () => readonly SimulatedAccount[]
  /** The flat file with the account's current tokens. */
  readonly accountFile: (name: string) => AccountFile
  readonly codexAuthFile: (name: string) => CodexAuthFile

  /** Puts a script in force for the requests it matches. Throws `invalid-request` for unknown names. */
  readonly script: (script: Script) => void
  readonly clearScripts: () => void

  /** Opens a gate for all who wait at it now, or every gate; returns how many went on. */
  readonly release: (label?: string) => number
  readonly waiting: (label: string) => number
  /** Resolves once `count` streams wait at the gate. */
  readonly untilWaiting: (label: string, count: number) => Promise<void>

  readonly setQuota: (name: string, patch: QuotaPatch) => QuotaState
  readonly quota: (name: string) => QuotaState
  /** Banks so many more resets; returns all of the account, spent ones included. */
  readonly grantResets: (name: string, count: number) => readonly ResetCredit[]

  /** Lets every access token of the account fail with 401; a refresh makes new ones. */
  readonly markAccess: (name: string, state: AccessState) => void
  readonly markRefresh: (name: string, state: RefreshState) => void
  readonly setSignIn: (name: string, switches: Partial<SignInSwitches>) => void
  /** A new sign-in of the account, as a login page would give: earlier tokens keep their state. Returns its flat file. */
  readonly signInAgain: (name: string) => AccountFile
  /** The token endpoint's side of everything. */
  readonly tokenStates: () => TokenStates
  /** Every token that was ever handed out, spent ones included: what no log and no folder may hold in clear. */
  readonly issuedTokens: () => readonly string[]
  /** Which account the next login signs in. */
  readonly chooseLogin: (name: string | undefined) => void

  readonly setRules: (patch: Partial<BackendRules>) => void
  /** Makes the model catalogue look changed: another ETag everywhere. */
  readonly changeModels: () => void

  /** The WebSockets that are open now. */
  readonly sockets: () => readonly Pick<OpenSocket, "number" | "account" | "openedAtMs">[]
  /** Closes every WebSocket: with a close frame, or by breaking it off when `code` is undefined. Returns how many. */
  readonly closeSockets: (code?: number) => number
  /** Resolves as soon as exactly `count` WebSockets are open. */
  readonly untilSockets: (count: number) => Promise<void>

  readonly recorded: (filter?: RecordFilter) => readonly RecordedRequest[]
  readonly clearRecorded: () => void
}

/** Makes the handle of a world. */
export function makeControl(world: World): SimulatorControl {
  const current = (name: string) => {
    const account = world.accounts.get(name)
    return { account, set: world.sessions.current(account) }
  }
  const nameOf = (name: string) => world.accounts.get(name).name
  return {
    createAccount: world.accounts.create,
    updateAccount: world.accounts.update,
    accounts: world.accounts.list,
    accountFile: name => accountFile(current(name).account, current(name).set),
    codexAuthFile: name => codexAuthFile(current(name).account, current(name).set),
    script: world.scripts.add,
    clearScripts: world.scripts.clear,
    release: world.gates.release,
    waiting: world.gates.waiting,
    untilWaiting: world.gates.untilWaiting,
    setQuota: (name, patch) => world.quota.patch(name, world.accounts.get(name).plan, patch),
    quota: name => world.quota.read(name, world.accounts.get(name).plan),
    grantResets: (name, count) => world.quota.resetCredits.grant(nameOf(name), count),
    markAccess: (name, state) => world.sessions.markAccess(nameOf(name), state),
    markRefresh: (name, state) => world.sessions.markRefresh(nameOf(name), state),
    setSignIn: (name, switches) => world.signIn.change(nameOf(name), switches),
    signInAgain: name => {
      const { account } = current(name)
      return accountFile(account, world.sessions.issue(account))
    },
    tokenStates: () => tokenStates(world),
    issuedTokens: world.sessions.issued,
    chooseLogin: name => world.signIn.chooseLogin(name === undefined ? undefined : nameOf(name)),
    setRules: world.changeRules,
    changeModels: world.changeModels,
    sockets: () => world.sockets.list().map(({ number, account, openedAtMs }) => ({ number, account, openedAtMs })),
    closeSockets: code => {
      const open = world.sockets.list()
      for (const socket of open) socket.close(code)
      return open.length
    },
    untilSockets: world.sockets.untilOpen,
    recorded: world.recorder.list,
    clearRecorded: world.recorder.clear,
  }
}

function tokenStates(world: World): TokenStates {
  const asked = world.recorder.list({ path: "/oauth/token" })
  const live = world.sessions.liveRefreshTokens()
  return {
    openExchanges: asked.filter(({ status }) => status === undefined).length,
    rotations: world.sessions.rotations(),
    accounts: world.accounts.list().map(({ name, userId, workspaceId }) => {
      return { name, userId, workspaceId, liveRefreshTokens: live.get(name) ?? [] }
    }),
  }
}
