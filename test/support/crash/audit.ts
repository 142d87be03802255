/** Compares what lies on the disk with what the token server says works. */

import { refreshFingerprint } from "#accounts/fingerprint.ts"
import { makeAccountId } from "#accounts/identity.ts"
import type { AccountId } from "#core/ids.ts"
import type { TokenStates } from "#simulator/control.ts"

import type { SimulatorProcess } from "../simulator-process.ts"
import type { Disk, DiskAccount } from "./disk.ts"

/** The server's side by account id. */
export type ServerTokens = {
  readonly rotations: number
  /** Simulator name by account id. */
  readonly names: ReadonlyMap<AccountId, string>
  readonly live: ReadonlyMap<AccountId, readonly string[]>
}

/** What a comparison came to. */
export type Audit = {
  /** The disk holds a used-up token and nothing says that this may be so: a lost token. */
  readonly lost: readonly AccountId[]
  /** Fingerprints of used-up tokens on the disk whose exchange is noted: the answer was lost. */
  readonly usedUp: readonly string[]
  /** Exchanges without a known end, whether their token works still or not: account id by fingerprint. */
  readonly notes: ReadonlyMap<string, AccountId>
  /** The file holds a used-up token, the store a working one. */
  readonly filesBehind: readonly DiskAccount[]
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
    live: new Map(byId.map(({ id, liveRefreshTokens }) => [id, liveRefreshTokens])),
  }
}

/** Compares. Throws when an account is on one side only. */
export function audit(disk: Disk, server: ServerTokens): Audit {
  const missing = [...server.live.keys()].filter(id => !disk.accounts.has(id))
  if (missing.length > 0 || disk.accounts.size !== server.live.size) {
    throw new Error(`disk and server have different accounts; missing on the disk: ${missing.join(", ") || "none"}`)
  }
  const works = ({ id }: DiskAccount, token: string) => server.live.get(id)?.includes(token) === true
  const all = [...disk.accounts.values()]
  const noted = all.filter(({ served }) => disk.intents.has(refreshFingerprint(served)))
  const dead = all.filter(account => !works(account, account.served))
  return {
    lost: dead.filter(account => !noted.includes(account)).map(({ id }) => id),
    usedUp: dead.filter(account => noted.includes(account)).map(({ served }) => refreshFingerprint(served)),
    notes: new Map(noted.map(({ id, served }) => [refreshFingerprint(served), id])),
    filesBehind: all.filter(account => works(account, account.served) && !works(account, account.inFile)),
  }
}
