/** Between accounts and the store's rows: credentials in and out, intents, what a rotation leaves behind. */

import type { CredentialMemory, RememberedCredential } from "#accounts/account-from-draft.ts"
import { refreshFingerprint } from "#accounts/fingerprint.ts"
import type { Sealer } from "#accounts/secrets/seal.ts"
import { openSecret, resealRow, sealRow } from "#accounts/secrets/sealed-rows.ts"
import type { Account, Credential } from "#core/account.ts"
import type { Clock } from "#core/clock.ts"
import type { AccountId } from "#core/ids.ts"

import { credentialFingerprint, readSecret, writeSecret } from "./credential-secret.ts"

/** A row as the store and the emergency journal keep it; both secrets are sealed. */
export type VaultRow = {
  readonly accountId: AccountId
  readonly fingerprint: string
  readonly secretJson: string
  readonly generation: number
  readonly previousFingerprint: string | null
  readonly previousSecretJson: string | null
  readonly previousAtMs: number | null
  readonly updatedAtMs: number
}

/** An exchange that began and whose end is not known. */
export type VaultIntent = {
  readonly fingerprint: string
  readonly accountId: AccountId
  readonly generation: number
  readonly startedAtMs: number
}

/** What the vault needs of the store; the store's own functions fit. */
export type VaultRows = {
  readonly readCredential: (accountId: AccountId) => VaultRow | undefined
  readonly listCredentialKeys: () => readonly Pick<VaultRow, "accountId" | "fingerprint" | "previousFingerprint">[]
  readonly findCredentials: (fingerprint: string) => readonly VaultRow[]
  readonly commitCredentials: (rows: readonly VaultRow[]) => void
  readonly wipePreviousCredentials: (beforeMs: number) => number
  readonly beginRefresh: (intent: VaultIntent) => void
  readonly endRefresh: (fingerprint: string) => void
  readonly listRefreshIntents: () => readonly VaultIntent[]
}

type ChatGptCredential = Extract<Credential, { type: "chatgpt" }>

/** One account's step from a used-up credential to its successor. */
export type Rotation = {
  /** With the new credential. */
  readonly account: Account
  readonly credential: ChatGptCredential
  readonly previous: ChatGptCredential
  /** Fingerprint of the refresh token that was used up. */
  readonly fingerprint: string
}

/** A credential that comes from outside, and the one it takes the place of. */
export type Adoption = {
  readonly account: Account
  readonly replaced?: Credential
  /** The id under which the line of its tokens began. */
  readonly continues?: AccountId
}

/** Credentials as the accounts folder sees the store. */
export type CredentialVault = CredentialMemory & {
  /** All rotations of one exchange or none, on the disk when this returns. Throws the store's error. */
  readonly commit: (rotations: readonly Rotation[]) => void
  /** Writes rows that an emergency journal kept; those of an earlier version may be in clear. Throws `internal` for another key's. */
  readonly commitKept: (rows: readonly VaultRow[]) => void
  /** Returns the row, sealed. */
  readonly rowOf: (rotation: Rotation) => VaultRow
  /** Returns the row of a credential from outside, sealed; whoever writes it calls {@link CredentialVault.noteWritten}. */
  readonly adoptionRowOf: (adoption: Adoption) => VaultRow
  readonly noteWritten: (rows: readonly VaultRow[]) => void
  /** The account with a credential of a higher generation than the store's, which would not give way to an older one. */
  readonly aboveStored: (account: Account) => Account
  /** The store's row of the account is opened by somebody else, who says which tokens it calls used up. */
  readonly noteSpent: (accountId: AccountId, fingerprints: readonly string[]) => void
  readonly begin: (account: Account, fingerprint: string) => void
  readonly end: (fingerprint: string) => void
  readonly leftOver: () => readonly VaultIntent[]
  /** Wipes replaced secrets that are older than a week. */
  readonly wipeOld: () => number
}

const KEEP_PREVIOUS_MS = 7 * 24 * 60 * 60 * 1000

/**
 * Used-up tokens a row remembers. A file that stayed further behind is told by the time of its tokens; within one second,
 * their resolution, no account is refreshed as often.
 */
const SPENT_KEPT = 8

function remember(row: VaultRow, sealer: Sealer): RememberedCredential {
  const { accountId, fingerprint, previousFingerprint } = row
  const { credential, spent } = readSecret(openSecret(row, sealer), row)
  return {
    accountId,
    fingerprint,
    credential,
    spentFingerprints: spent,
    ...(previousFingerprint === null ? {} : { previousFingerprint }),
  }
}

function clearRowOf(rotation: Rotation, nowMs: number, spentBefore: readonly string[]): VaultRow {
  const { account, credential, previous, fingerprint } = rotation
  return {
    accountId: account.id,
    fingerprint: credential.refreshToken === undefined ? fingerprint : refreshFingerprint(credential.refreshToken),
    secretJson: writeSecret(credential, spentAfter(fingerprint, spentBefore)),
    generation: credential.generation,
    previousFingerprint: fingerprint,
    previousSecretJson: writeSecret(previous),
    previousAtMs: nowMs,
    updatedAtMs: nowMs,
  }
}

/** The used-up tokens a row is to remember, newest first. */
function spentAfter(fingerprint: string, before: readonly string[]): readonly string[] {
  return firstOf([fingerprint, ...before])
}

function firstOf(spent: readonly string[]): readonly string[] {
  return [...new Set(spent)].slice(0, SPENT_KEPT)
}

/** What an adopted credential takes the place of, as far as it is known. */
type Before = { readonly previous: Credential | undefined; readonly fingerprint: string | undefined }

function clearAdoptionRowOf(
  { id, credential }: Account,
  { previous, fingerprint }: Before,
  { nowMs, spent }: { readonly nowMs: number; readonly spent: readonly string[] },
): VaultRow {
  return {
    accountId: id,
    fingerprint: credentialFingerprint(credential),
    secretJson: writeSecret(credential, spent.length === 0 ? undefined : spent),
    generation: credential.generation,
    previousFingerprint: fingerprint ?? null,
    previousSecretJson: previous === undefined ? null : writeSecret(previous),
    previousAtMs: fingerprint === undefined ? null : nowMs,
    updatedAtMs: nowMs,
  }
}

/**
 * What the store has rows for. Most accounts have none, and a set answers that a hundred times faster than a query, which
 * loading a thousand files needs. Right as long as the vault alone writes the rows, which the store's single owner ensures.
 */
function makeKnownKeys(rows: Pick<VaultRows, "listCredentialKeys">) {
  const accountIds = new Set<AccountId>()
  const fingerprints = new Set<string>()
  /** Tokens that only a row's sealed part names: they were used up more than one step ago. */
  const spentBy = new Map<string, AccountId>()
  const add = ({
    accountId,
    fingerprint,
    previousFingerprint,
  }: ReturnType<VaultRows["listCredentialKeys"]>[number]) => {
    accountIds.add(accountId)
    fingerprints.add(fingerprint)
    if (previousFingerprint !== null) fingerprints.add(previousFingerprint)
  }
  rows.listCredentialKeys().forEach(add)
  const addSpent = (accountId: AccountId, spent: readonly string[]): void => {
    for (const fingerprint of spent) spentBy.set(fingerprint, accountId)
  }
  return { accountIds, fingerprints, spentBy, add, addSpent }
}

/** What the rows remember. Looking up throws `internal` for a row that the sealer's key does not open. */
function makeMemory(
  rows: Pick<VaultRows, "readCredential" | "listCredentialKeys" | "findCredentials">,
  sealer: Sealer,
  known: ReturnType<typeof makeKnownKeys>,
): CredentialMemory {
  return {
    byAccount: accountId => {
      const row = known.accountIds.has(accountId) ? rows.readCredential(accountId) : undefined
      return row === undefined ? undefined : remember(row, sealer)
    },
    byFingerprint: fingerprint => {
      const found = known.fingerprints.has(fingerprint) ? rows.findCredentials(fingerprint) : []
      const spender = found.length === 0 ? known.spentBy.get(fingerprint) : undefined
      const later = spender === undefined ? undefined : rows.readCredential(spender)
      return (later === undefined ? found : [later]).map(row => remember(row, sealer))
    },
  }
}

/** Makes the vault over the store's rows; there is one vault for one store. */
export function makeCredentialVault({
  rows,
  clock,
  sealer,
}: {
  readonly rows: VaultRows
  readonly clock: Clock
  readonly sealer: Sealer
}): CredentialVault {
  const known = makeKnownKeys(rows)
  const memory = makeMemory(rows, sealer, known)
  const recall = (accountId: AccountId | undefined): RememberedCredential | undefined => {
    try {
      return accountId === undefined ? undefined : memory.byAccount(accountId)
    } catch {
      // Harmless: a row that does not open is about to be replaced, and only files far behind are told apart by this.
      return undefined
    }
  }
  const spentBefore = (accountId: AccountId | undefined): readonly string[] =>
    recall(accountId)?.spentFingerprints ?? []
  const adoptionRowOf = ({ account, replaced, continues }: Adoption): VaultRow => {
    const replacedFingerprint = replaced === undefined ? undefined : credentialFingerprint(replaced)
    const fingerprint = replacedFingerprint ?? recall(continues)?.previousFingerprint
    const newest = replacedFingerprint === undefined ? [] : [replacedFingerprint]
    const spent = firstOf([...newest, ...spentBefore(continues), ...spentBefore(account.id)])
    return sealRow(clearAdoptionRowOf(account, { previous: replaced, fingerprint }, { nowMs: clock(), spent }), sealer)
  }
  const rowOf = (rotation: Rotation): VaultRow =>
    sealRow(clearRowOf(rotation, clock(), spentBefore(rotation.account.id)), sealer)
  const noteWritten = (changed: readonly VaultRow[]): void => {
    for (const row of changed) {
      known.add(row)
      // A first credential has used up nothing, and an import of ten thousand need not be opened again.
      if (row.previousFingerprint !== null) known.addSpent(row.accountId, spentBefore(row.accountId))
    }
  }
  const commitRows = (changed: readonly VaultRow[]): void => {
    rows.commitCredentials(changed)
    noteWritten(changed)
  }
  return {
    ...memory,
    commit: rotations => commitRows(rotations.map(rowOf)),
    commitKept: kept => commitRows(kept.map(row => resealRow(row, sealer, sealer))),
    rowOf,
    adoptionRowOf,
    noteWritten,
    aboveStored: account => {
      const row = known.accountIds.has(account.id) ? rows.readCredential(account.id) : undefined
      if (row === undefined || row.generation < account.credential.generation) return account
      return { ...account, credential: { ...account.credential, generation: row.generation + 1 } }
    },
    noteSpent: known.addSpent,
    begin: (account, fingerprint) =>
      rows.beginRefresh({
        fingerprint,
        accountId: account.id,
        generation: account.credential.generation,
        startedAtMs: clock(),
      }),
    end: fingerprint => rows.endRefresh(fingerprint),
    leftOver: () => rows.listRefreshIntents(),
    wipeOld: () => rows.wipePreviousCredentials(clock() - KEEP_PREVIOUS_MS),
  }
}
