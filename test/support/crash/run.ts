/** The crash run: a gateway under refreshes is killed again and again; after each kill its disk is compared with the server. */

import type { AccountId } from "#core/ids.ts"
import { arrayAt, isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

import { type Finding, type LeftBehind, makeSecretSearch, searchLeftBehind } from "../clear-text.ts"
import { type Audit, audit, type FileBehind, readServer } from "./audit.ts"
import { readDisk, readFileToken } from "./disk.ts"
import { makeDoubtBooks } from "./doubts.ts"
import { type Life, startLife } from "./life.ts"
import { makeOwners, type Owners } from "./owners.ts"
import { type AccountKind, kindOf } from "./population.ts"
import { makeRandom, type Random } from "./random.ts"
import { startTraffic } from "./traffic.ts"
import { type CrashWorld, makeCrashWorld } from "./world.ts"

/** How to run. */
export type CrashOptions = {
  readonly kills: number
  readonly accounts: number
  /** Decides when kills happen; the machine decides what they hit. */
  readonly seed: number
  readonly onKill?: (totals: CrashTotals) => void
}

/** What a run came to. */
export type CrashTotals = {
  /** `early`: before the gateway was ready. */
  readonly kills: { total: number; early: number }
  /** Time in which the gateway was ready. */
  upMs: number
  /** Exchanges that gave a successor, by the server's count. */
  refreshes: number
  /** Notes of exchanges under way at kills; what became of them. */
  inFlight: number
  healed: number
  logins: number
  /** Answer lost, but nobody was asked: another sign-in of the account had come in meanwhile. */
  replaced: number
  /** How many accounts there are of each kind, and how many of the notes were about one. */
  readonly kinds: Readonly<Record<AccountKind, { accounts: number; inFlight: number }>>
  /** Bare tokens that were handed over, those that got their lasting id, and kills that came between refresh and that step. */
  readonly bare: { pasted: number; promoted: number; killedBetween: number }
  /** In flight, and the disk was left with a used-up token: the answer was lost. */
  answersLost: number
  /** Accounts with a used-up token on the disk that nothing explains. */
  lost: number
  /** Files that a kill left with a used-up token while the store had the next one, and those that a start repaired. */
  readonly files: { behind: number; repaired: number }
  readonly requests: { served: number; refused: Readonly<Record<string, number>> }
  /** Secrets that were searched for in data folder, log and bodies, and where one was found. */
  readonly secrets: { count: number; findings: Finding[] }
  /** Everything that should not be; empty = nothing was lost and all was told. */
  readonly complaints: string[]
}

/** Milliseconds between becoming ready and the kill. */
const LIFE_MS = { least: 200, most: 1000 }
/** Milliseconds between launch and a kill during the start, and the share of such kills. */
const EARLY_MS = { least: 20, most: 160 }
const EARLY_SHARE = 0.1
/** Share of accounts whose access tokens are withdrawn in each life. */
const WITHDRAWN_SHARE = 0.3
/** Longest wait for what has to happen. */
const PATIENCE_MS = 20_000
/** Share of accounts that came in as bare tokens for which another one comes in, in each life. */
const PASTED_SHARE = 0.03
const CLIENTS = 4
/** Kills between two searches of the data folder. */
const SEARCH_EVERY = 10

type Run = {
  readonly world: CrashWorld
  readonly random: Random
  readonly totals: CrashTotals
  readonly books: ReturnType<typeof makeDoubtBooks>
  readonly search: ReturnType<typeof makeSecretSearch>
  readonly outputs: string[]
  /** Fingerprints of tokens whose successor never arrived. */
  readonly usedUp: Set<string>
  readonly lost: Set<AccountId>
  readonly owners: Owners
  /** Simulator name of the account of an id, lasting or not. */
  readonly ownerOf: (id: AccountId) => string | undefined
  names: ReadonlyMap<AccountId, string>
  rotations: number
  behind: readonly FileBehind[]
}

function emptyTotals(): CrashTotals {
  return {
    kills: { total: 0, early: 0 },
    upMs: 0,
    refreshes: 0,
    inFlight: 0,
    healed: 0,
    logins: 0,
    replaced: 0,
    kinds: {
      file: { accounts: 0, inFlight: 0 },
      stored: { accounts: 0, inFlight: 0 },
      bare: { accounts: 0, inFlight: 0 },
    },
    bare: { pasted: 0, promoted: 0, killedBetween: 0 },
    answersLost: 0,
    lost: 0,
    files: { behind: 0, repaired: 0 },
    requests: { served: 0, refused: {} },
    secrets: { count: 0, findings: [] },
    complaints: [],
  }
}

/** Waits until `check` holds; false when it does not in time. */
async function within(check: () => boolean | Promise<boolean>): Promise<boolean> {
  const endsAtMs = performance.now() + PATIENCE_MS
  while (!(await check())) {
    if (performance.now() > endsAtMs) return false
    await Bun.sleep(5)
  }
  return true
}

function complainTo({ totals }: Pick<Run, "totals">): (text: string) => void {
  return text => {
    totals.complaints.push(`after ${totals.kills.total} kills: ${text}`)
  }
}

/** Some accounts' access tokens are refused from now on: the next request with one makes a refresh. */
async function withdrawSome({ world, random, names }: Run): Promise<void> {
  const chosen = [...names.values()].filter(() => random.chance(WITHDRAWN_SHARE))
  await Promise.all(chosen.map(name => world.simulator.control("mark-access", { name, state: "invalidated" })))
}

/** Owners of accounts that came in as bare tokens hand over another one of the same account. */
async function pasteSome({ world, random, owners }: Run): Promise<void> {
  const chosen = world.names.filter(name => kindOf(name) === "bare" && random.chance(PASTED_SHARE))
  await Promise.all(chosen.map(owners.paste))
}

/** What has to hold right after a start: doubts are told, and files that stayed behind are brought up to date. */
async function checkStart(run: Run, life: Life): Promise<void> {
  const complain = complainTo(run)
  const doubted = life.doubted()
  for (const id of run.books.open()) if (!doubted.has(id)) complain(`${id} is not shown as uncertain after the start`)
  for (const { id, path, inFile } of run.behind) {
    const isRepaired = await within(() => readFileToken(path) !== inFile)
    if (!isRepaired) complain(`the file of ${id} still holds a used-up token after the start`)
  }
}

function begin(run: Run): Life {
  return startLife({ ...run, complain: complainTo(run) })
}

/** Lives until a random moment and dies of SIGKILL. */
async function liveAndDie(run: Run): Promise<void> {
  const { random, totals } = run
  const life = begin(run)
  const isEarly = random.chance(EARLY_SHARE)
  if (isEarly) {
    totals.kills.early += 1
    await Bun.sleep(random.between(EARLY_MS.least, EARLY_MS.most))
  } else {
    await life.gateway.ready
    const readyAtMs = performance.now()
    const enough = Bun.sleep(random.between(LIFE_MS.least, LIFE_MS.most))
    await Promise.all([enough, withdrawSome(run), pasteSome(run), checkStart(run, life)])
    totals.upMs += performance.now() - readyAtMs
  }
  await life.gateway.kill()
  await life.end()
  totals.kills.total += 1
  run.outputs.push(life.gateway.output())
}

function countBare({ totals, world, owners }: Run, present: ReadonlySet<AccountId>, { unnamed }: Audit): void {
  const ids = [...world.pasted.keys()]
  const waiting = owners.pending()
  totals.bare.pasted = ids.length - waiting
  totals.bare.promoted = ids.filter(id => !present.has(id) && !owners.removed.has(id)).length - waiting
  totals.bare.killedBetween += unnamed.length
}

/** Compares disk and server while no gateway runs. */
async function auditNow(run: Run): Promise<Audit> {
  const server = await readServer(run.world.simulator)
  const disk = await readDisk(run.world)
  const result = audit(disk, server, run.world.pasted)
  const { totals, books } = run
  run.names = server.names
  run.rotations = server.rotations
  const known = new Set(run.behind.map(({ inFile }) => inFile))
  const still = new Set(result.filesBehind.map(({ inFile }) => inFile))
  totals.files.repaired += run.behind.filter(({ inFile }) => !still.has(inFile)).length
  totals.files.behind += result.filesBehind.filter(({ inFile }) => !known.has(inFile)).length
  run.behind = result.filesBehind
  for (const fingerprint of result.usedUp) run.usedUp.add(fingerprint)
  totals.answersLost = run.usedUp.size
  const nameOf = (id: AccountId) => run.ownerOf(id) ?? ""
  const { fresh, replaced } = books.afterKill(result.notes, run.usedUp)
  for (const id of fresh) totals.kinds[kindOf(nameOf(id))].inFlight += 1
  for (const id of replaced) {
    if (!run.owners.pastedFor.has(nameOf(id))) complainTo(run)(`the doubt about ${id} went away without a reason`)
  }
  Object.assign(totals, books.totals())
  countBare(run, new Set(disk.accounts.keys()), result)
  for (const id of result.lost) {
    if (run.lost.has(id)) continue
    run.lost.add(id)
    complainTo(run)(`${id} has lost its token`)
  }
  totals.lost = run.lost.size
  return result
}

async function searchAll(
  { world, search, totals }: Run,
  printed: Pick<LeftBehind, "outputs" | "bodies">,
): Promise<void> {
  // The control handle's function of this name gives it.
  const issued = (await world.simulator.control("issued-tokens")) as readonly string[]
  const { folder } = world
  totals.secrets.findings.push(...searchLeftBehind(search, { ...printed, folder, secrets: [world.key, ...issued] }))
  totals.secrets.count = search.size()
}

/** The entries of a report's `accounts`. */
async function accountsOf(response: Response): Promise<readonly JsonObject[]> {
  const report: unknown = await response.json()
  return (isJsonObject(report) ? arrayAt(report, "accounts") : undefined)?.filter(isJsonObject) ?? []
}

/** The last life: every doubt ends, every account is refreshed once more, and the gateway stops in order. */
async function liveToTheEnd(run: Run): Promise<void> {
  const { world, totals, books, owners } = run
  const complain = complainTo(run)
  const life = begin(run)
  await life.gateway.ready
  await checkStart(run, life)
  const headers = { authorization: `Bearer ${world.key}` }
  const isDoubtful = (id: AccountId): boolean => {
    const said = [...life.doubted()].filter(([other]) => run.ownerOf(other as AccountId) === run.ownerOf(id))
    return said.every(([, doubt]) => doubt === "uncertain")
  }
  const unsettled = async (): Promise<readonly string[]> => {
    await life.signedIn()
    const doubtful = books.open().filter(isDoubtful)
    const waiting = (await accountsOf(await fetch(`${world.url}/stats`, { headers }))).filter(
      account => stringAt(account, "credential") === "uncertain" || stringAt(account, "reason") === "needs-login",
    )
    const errands = owners.pending() === 0 ? [] : [`${owners.pending()} sign-ins`]
    return [...doubtful, ...waiting.map(account => JSON.stringify(account)), ...errands]
  }
  const isSettled = async () => (await unsettled()).length === 0
  const refreshAll = async () => accountsOf(await fetch(`${world.url}/refresh`, { method: "POST", headers }))
  const isToldOfAll = () => !books.open().some(isDoubtful)
  if (!(await within(isToldOfAll))) complain("some doubt is neither settled nor called lost")
  await life.signedIn()
  // In the background a bare token would wait for its turn; only its refresh tells whose it is.
  await refreshAll()
  if (!(await within(isSettled))) complain(`not every doubt was settled: ${(await unsettled()).join(", ")}`)
  const isEachOnce = async () =>
    (await accountsOf(await fetch(`${world.url}/stats`, { headers }))).length === run.names.size
  if (!(await within(isEachOnce))) complain("in the end some account is there twice, or not at all")
  const accounts = await refreshAll()
  const failed = accounts.filter(account => stringAt(account, "status") !== "refreshed")
  if (accounts.length !== run.names.size) complain(`only ${accounts.length} accounts were refreshed in the end`)
  for (const account of failed) complain(`in the end ${JSON.stringify(account)}`)
  const code = await life.gateway.stop()
  if (code !== 0) complain(`the gateway stopped with code ${code}`)
  await life.end()
  run.outputs.push(life.gateway.output())
  const { usedUp, notes, filesBehind, unnamed } = await auditNow(run)
  if (usedUp.length + notes.size + filesBehind.length + unnamed.length > 0)
    complain("after an orderly stop something is unfinished")
  const { inFlight, healed, logins, replaced, answersLost } = totals
  if (inFlight !== healed + logins + replaced) complain("some exchange in flight ended in no way")
  if (answersLost !== logins + replaced) complain("logins were asked for without need, or not where they are needed")
}

/** Runs it. The machine's folder for temporary files is left as it was. */
export async function runCrashes(options: CrashOptions): Promise<CrashTotals> {
  const totals = emptyTotals()
  const world = await makeCrashWorld(options.accounts)
  const search = makeSecretSearch()
  for (const name of world.names) totals.kinds[kindOf(name)].accounts += 1
  const ownerOf = (id: AccountId) => run.names.get(id) ?? world.pasted.get(id)
  const parts = { world, totals, search, ownerOf, random: makeRandom(options.seed), books: makeDoubtBooks(ownerOf) }
  const run: Run = {
    owners: makeOwners({ world, complain: complainTo({ totals }) }),
    ...parts,
    outputs: [],
    usedUp: new Set(),
    lost: new Set(),
    names: new Map(),
    rotations: 0,
    behind: [],
  }
  const traffic = startTraffic({ ...world, clients: CLIENTS, random: makeRandom(options.seed + 1) })
  try {
    run.names = (await readServer(world.simulator)).names
    while (totals.kills.total < options.kills) {
      await liveAndDie(run)
      await auditNow(run)
      totals.refreshes = run.rotations
      if (totals.kills.total % SEARCH_EVERY === 0) await searchAll(run, { outputs: [], bodies: [] })
      options.onKill?.(totals)
    }
    await traffic.stop()
    await liveToTheEnd(run)
    await searchAll(run, { outputs: run.outputs, bodies: traffic.bodies() })
    totals.requests.served = traffic.served()
    totals.requests.refused = traffic.refused()
    if (totals.secrets.findings.length > 0) complainTo(run)("secrets stand in clear")
    return totals
  } finally {
    await traffic.stop()
    await world.stop()
  }
}
