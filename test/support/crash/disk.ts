/** What a killed gateway left on the disk, read as its next start would read it, from a copy. */

import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"

import { type CredentialMemory, NO_MEMORY } from "#accounts/account-from-draft.ts"
import { makeCredentialVault } from "#accounts/credentials/credential-vault.ts"
import { openEmergencyJournal } from "#accounts/credentials/emergency-journal.ts"
import { recoverJournal } from "#accounts/credentials/recover-journal.ts"
import { fileKeySlots } from "#accounts/secrets/key-slots.ts"
import { makeSealer, type Sealer } from "#accounts/secrets/seal.ts"
import { checkKey, readKeyFacts } from "#accounts/secrets/sealed-rows.ts"
import { composeRoster } from "#accounts/sources/account-roster.ts"
import { combineSources } from "#accounts/sources/combine-sources.ts"
import { inParallel, loadAccountFile, stampAccountFiles } from "#accounts/sources/directory-files.ts"
import { makeStoredAccounts } from "#accounts/sources/stored-accounts.ts"
import { type Account, type Credential, filePathOf } from "#core/account.ts"
import type { AccountId } from "#core/ids.ts"
import { makeStore, type Store } from "#store/store.ts"

/** One account's refresh tokens. */
export type DiskAccount = {
  readonly id: AccountId
  /** What the next start would use. */
  readonly served: string
  /** Its file and what that holds; undefined = the account lives in the database. */
  readonly file: { readonly path: string; readonly token: string } | undefined
}

/** Everything there is. */
export type Disk = {
  readonly accounts: ReadonlyMap<AccountId, DiskAccount>
  /** Fingerprints of tokens whose exchange began and has no known end. */
  readonly intents: ReadonlySet<string>
  /** Credentials that only the emergency journal has. */
  readonly journalled: number
}

/** The database and its log; the rest of `data-dir` is copied by name. */
const COPIED = ["core.db", "core.db-wal", "refresh-journal.ndjson"]

/**
 * Reads both folders while no gateway runs; nothing in them changes. Throws what a start would throw: a damaged
 * database, a credential that does not open with the key.
 */
export async function readDisk(folder: { readonly authDir: string; readonly dataDir: string }): Promise<Disk> {
  const copy = mkdtempSync(join(folder.dataDir, "..", "copy-"))
  try {
    for (const name of COPIED) {
      if (existsSync(join(folder.dataDir, name))) copyFileSync(join(folder.dataDir, name), join(copy, name))
    }
    const store = makeStore({ path: join(copy, "core.db"), pid: process.pid })
    try {
      return await readStore(store, copy, folder)
    } finally {
      store.close()
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** The accounts of a folder as a start with this memory would see them. Throws for a file that cannot be read. */
async function readFiles(authDir: string, memory: CredentialMemory): Promise<ReadonlyMap<AccountId, Account>> {
  const stamps = (await stampAccountFiles(authDir)) ?? []
  const files = (await inParallel(stamps, ({ path }) => loadAccountFile(path, memory))).filter(
    file => file !== undefined,
  )
  const broken = files.filter(file => file.faults.length > 0)
  if (broken.length > 0) throw new Error(`broken account files: ${broken.map(file => file.path).join(", ")}`)
  return composeRoster(files).accounts
}

/** Both kinds as one pool, in the order in which a start puts them together. */
function combine(files: ReadonlyMap<AccountId, Account>, stored: readonly Account[]): readonly Account[] {
  const combined = combineSources({ settingsOf: () => ({}), emit: () => {} })
  for (const account of files.values()) combined.putFile(account)
  combined.putStored(stored)
  const ids = new Set([...files.keys(), ...stored.map(account => account.id)])
  return [...ids].map(id => combined.shown(id)).filter(account => account !== undefined)
}

async function readStore(
  store: Store,
  copy: string,
  { authDir, dataDir }: { readonly authDir: string; readonly dataDir: string },
): Promise<Disk> {
  const sealer = await openKey(store, dataDir)
  const vault = makeCredentialVault({ rows: store, clock: () => 0, sealer })
  const journal = openEmergencyJournal(join(copy, "refresh-journal.ndjson"))
  const journalled = recoverJournal(journal, vault)
  journal.close()
  const files = await readFiles(authDir, NO_MEMORY)
  const { accounts: stored, faults } = makeStoredAccounts({ rows: store, vault, sealer, clock: () => 0 }).load()
  if (faults.length > 0) throw new Error(`rows that cannot be used: ${faults.map(fault => fault.reason).join(", ")}`)
  const accounts = combine(await readFiles(authDir, vault), stored).map((account): DiskAccount => {
    const { id, credential } = account
    const path = filePathOf(account)
    const inFile = files.get(id)
    if (path !== undefined && inFile === undefined) throw new Error(`${id} is in no file`)
    const file = path && inFile && { path, token: tokenOf(inFile.credential) }
    return { id, served: tokenOf(credential), file: file || undefined }
  })
  return {
    accounts: new Map(accounts.map(account => [account.id, account])),
    intents: new Set(store.listRefreshIntents().map(intent => intent.fingerprint)),
    journalled,
  }
}

async function openKey(store: Store, dataDir: string): Promise<Sealer> {
  const key = await fileKeySlots(join(dataDir, "master.key")).read("current")
  if (key === undefined) throw new Error(`no key in ${dataDir}: ${readdirSync(dataDir).join(", ")}`)
  const sealer = makeSealer({ key, random: bytes => crypto.getRandomValues(bytes) })
  checkKey(sealer, readKeyFacts(store.readMeta))
  return sealer
}

function tokenOf(credential: Credential): string {
  if (credential.type !== "chatgpt" || credential.refreshToken === undefined) throw new Error("no refresh token")
  return credential.refreshToken
}

/** The refresh token that an account file holds now. */
export function readFileToken(path: string): string {
  const entry: { refresh_token?: unknown } = JSON.parse(readFileSync(path, "utf8"))
  return String(entry.refresh_token)
}
