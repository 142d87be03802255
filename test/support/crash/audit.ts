/** Compares what lies on the disk with what the token server says works. */

import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { makeAccountId } from "#accounts/identity.ts"
import type { AccountId } from "#core/ids.ts"
import type { TokenStates } from "#simulator/control.ts"

import type { SimulatorProcess } from "../simulator-process.ts"
import type { Disk, DiskAccount } from "./disk.ts"

/** The server's side. */
export type ServerTokens = {
  readonly rotations: number
  /** Simulator name by the account's lasting id. */
  readonly names: ReadonlyMap<AccountId, string>
  /** By simulator name. */
  readonly live: ReadonlyMap<string, readonly string[]>
}

/** An account's file holds a used-up token, the store a working one. */
export type FileBehind = { readonly id: AccountId; readonly path: string; readonly inFile: string }

/** What a comparison came to. */
export type Audit = {
  /** The disk holds a used-up token and nothing says that this may be so: a lost token. */
  readonly lost: readonly AccountId[]
  /** Fingerprints of used-up tokens on the disk whose exchange is noted: the answer was lost. */
  readonly usedUp: readonly string[]
  /** Exchanges without a known end, whether their token works still or not: account id by fingerprint. */
  readonly notes: ReadonlyMap<string, AccountId>
  readonly filesBehind: readonly FileBehind[]
  /** Accounts under the id of a bare token that was refreshed: the kill came before they got their lasting one. */
  readonly unnamed: readonly AccountId[]
}

/** Asks the server once no exchange is under way there: what a killed client had sent may be carried out after its death. */
export async function readServer(simulator: SimulatorProcess): Promise<ServerTokens> {
  // Twice in a row: what lay in a socket at the first question has been read by the second.
  for (let quiet = 0; ; ) {
    // The control handle's function of this name gives it.
    const states = (await simulator.control("token-states")) as TokenStates
    quiet = states.openExchanges === 0 ? quiet + 1 : 0
    if (quiet >= 2) return serverTokens(states)
    if (quiet === 0) await Bun.sleep(1)
  }
}

function serverTokens({ rotations, accounts }: TokenStates): ServerTokens {
  const byId = accounts.map(({ userId, workspaceId, ...rest }) => {
    return { ...rest, id: makeAccountId({ userId, workspaceId, place: "" }) }
  })
  return {
    rotations,
    names: new Map(byId.map(({ id, name }) => [id, name])),
    live: new Map(byId.map(({ name, liveRefreshTokens }) => [name, liveRefreshTokens])),
  }
}

/**
 * Compares. `pasted` has the simulator names of accounts that came in as bare tokens, under their first id. Throws when an
 * account is on one side only.
 */
export function audit(disk: Disk, server: ServerTokens, pasted: ReadonlyMap<AccountId, string>): Audit {
  const nameOf = ({ id }: DiskAccount) => server.names.get(id) ?? pasted.get(id)
  const all = [...disk.accounts.values()]
  const found = new Set(all.map(nameOf))
  const missing = [...server.live.keys()].filter(name => !found.has(name))
  const strange = all.filter(account => nameOf(account) === undefined).map(({ id }) => id)
  if (missing.length + strange.length > 0) {
    throw new Error(
      `not on the disk: ${missing.join(", ") || "none"}; on the disk only: ${strange.join(", ") || "none"}`,
    )
  }
  const works = (account: DiskAccount, token: string) =>
    server.live.get(nameOf(account) ?? "")?.includes(token) === true
  const noted = all.filter(({ served }) => disk.intents.has(refreshFingerprint(served)))
  const dead = all.filter(account => !works(account, account.served))
  return {
    lost: dead.filter(account => !noted.includes(account)).map(({ id }) => id),
    usedUp: dead.filter(account => noted.includes(account)).map(({ served }) => refreshFingerprint(served)),
    notes: new Map(noted.map(({ id, served }) => [refreshFingerprint(served), id])),
    filesBehind: all
      .filter(account => works(account, account.served))
      .flatMap(account => {
        const { id, file } = account
        return file === undefined || works(account, file.token) ? [] : [{ id, path: file.path, inFile: file.token }]
      }),
    unnamed: all.filter(({ id, served }) => pasted.has(id) && bareIdOf(served) !== id).map(({ id }) => id),
  }
}

/** The id under which an account goes of which nothing but this refresh token is known. */
export function bareIdOf(refreshToken: string): AccountId {
  return makeAccountId({ fingerprint: refreshFingerprint(refreshToken), place: "" })
}
