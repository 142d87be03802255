/** Keeps the model catalogue current: one representative account of each plan is asked for its list. */

import type { Account } from "#core/account.ts"
import type { CancelTimer, Clock, Timers } from "#core/clock.ts"
import { toGatewayError } from "#core/errors.ts"
import type { ProviderId } from "#core/ids.ts"
import type { ModelInfo } from "#core/model-info.ts"
import type { SendUpstream } from "#core/upstream.ts"
import type { Catalogue } from "#gateway/models/catalogue.ts"
import type { Provider } from "#providers/provider.ts"
import type { Scheduler } from "#scheduler/scheduler.ts"

import { fetchText, parseJson } from "./ask-upstream.ts"
import type { Pool } from "./pool.ts"

/** A list as one class of accounts sees it. */
export type ModelList = { readonly etag?: string; readonly models: readonly ModelInfo[]; readonly fetchedAtMs: number }

/** What the sync needs. */
export type CatalogueSyncParts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: () => number
  readonly pool: Pool
  readonly providers: Readonly<Record<ProviderId, Provider>>
  readonly scheduler: Scheduler
  readonly send: SendUpstream
  readonly catalogue: Catalogue
  /** Lists an earlier run has kept, by class. */
  readonly kept: ReadonlyMap<string, ModelList>
  /** Keeps a list for the next start. */
  readonly keep: (listClass: string, list: ModelList) => void
  readonly reportFailure: (name: string, cause: unknown) => void
}

/** The running sync. */
export type CatalogueSync = {
  /** Asks now for every class that has no fresh list. */
  readonly refresh: () => Promise<void>
  /** An account's answer named another version of its list. */
  readonly etagSeen: (account: Account, etag: string) => void
  /** An account came or changed: gives it the list of its class, or asks for one. */
  readonly accountSeen: (account: Account) => void
  readonly stop: () => void
}

const FRESH_MS = 60 * 60_000
/** Least time between two questions that an account's answers give rise to. */
const ASK_AGAIN_MS = 60_000
/** Accounts of a class that are asked in turn before the class waits for the next round. */
const MAX_ASKED = 3

/** Accounts of one provider and plan at one upstream see the same list; asking each of a thousand would only be noise. */
function listClassOf({ provider, plan = "unknown", baseUrl }: Account): string {
  return baseUrl === undefined ? `${provider}/${plan}` : `${provider}/${plan} ${baseUrl}`
}

/** Starts the hourly round. */
export function startCatalogueSync(parts: CatalogueSyncParts): CatalogueSync {
  const lists = new Map([...parts.kept].map(([listClass, list]) => [listClass, withSlugs(list)]))
  const asking = new Map<string, Promise<void>>()
  const askedAtMs = new Map<string, number>()
  let cancelTimer: CancelTimer = () => {}
  let stopped = false

  function ask(listClass: string): Promise<void> {
    const running = asking.get(listClass)
    if (running !== undefined) return running
    askedAtMs.set(listClass, parts.clock())
    const round = askClass(listClass, lists, parts)
      .catch(cause => parts.reportFailure("model list", cause))
      .finally(() => asking.delete(listClass))
    asking.set(listClass, round)
    return round
  }

  async function refresh(): Promise<void> {
    const stale = [...new Set(parts.pool.accounts().map(listClassOf))].filter(listClass => {
      const list = lists.get(listClass)
      return list === undefined || parts.clock() - list.fetchedAtMs >= FRESH_MS
    })
    await Promise.all(stale.map(ask))
  }

  function plan(): void {
    cancelTimer = parts.timers.after(FRESH_MS * (0.9 + 0.2 * parts.random()), () => {
      refresh()
        .catch(cause => parts.reportFailure("model list", cause))
        .finally(() => stopped || plan())
    })
  }

  plan()
  return {
    refresh,
    etagSeen: (account, etag) => {
      const listClass = listClassOf(account)
      const list = lists.get(listClass)
      const changed = list?.etag === undefined || plainTag(list.etag) !== plainTag(etag)
      // Without the pause, a tag that never matches would ask on every turn.
      if (changed && parts.clock() - (askedAtMs.get(listClass) ?? 0) >= ASK_AGAIN_MS) void ask(listClass)
    },
    accountSeen: account => {
      const list = lists.get(listClassOf(account))
      if (list !== undefined) giveList(account, list, parts)
      else if (!account.disabled) void ask(listClassOf(account))
    },
    stop: () => {
      stopped = true
      cancelTimer()
    },
  }
}

/** `W/"x"`, `"x"` and `x` name the same version here. */
function plainTag(etag: string): string {
  return etag.replace(/^W\//, "").replaceAll('"', "")
}

/** A list with its slugs as one set, which all accounts of the class share: the scheduler tells equal sets by it. */
type SharedList = ModelList & { readonly slugs: ReadonlySet<string> | undefined }

function withSlugs(list: ModelList): SharedList {
  return { ...list, slugs: slugsOf(list.models) }
}

function giveList(account: Account, list: SharedList, parts: CatalogueSyncParts): void {
  parts.catalogue.setModels(account.id, list)
  parts.scheduler.setModels(account.id, list.slugs)
}

/** Asks up to three accounts of the class until one answers. Rejects with the last failure. */
async function askClass(listClass: string, lists: Map<string, SharedList>, parts: CatalogueSyncParts): Promise<void> {
  const members = membersOf(listClass, parts).filter(account => parts.scheduler.isUsable(account.id))
  let failure: unknown
  // Not always the same first ones: three that cannot answer must not keep a whole class without a list.
  const first = Math.floor(parts.random() * members.length)
  for (const account of [...members.slice(first), ...members.slice(0, first)].slice(0, MAX_ASKED)) {
    try {
      const list = withSlugs(await askAccount(account, lists.get(listClass), parts))
      lists.set(listClass, list)
      parts.keep(listClass, list)
      // Accounts that came while the question was out belong to the class as well.
      for (const member of membersOf(listClass, parts)) giveList(member, list, parts)
      return
    } catch (cause) {
      failure = cause
    }
  }
  if (failure !== undefined) throw toGatewayError(failure)
}

function membersOf(listClass: string, parts: CatalogueSyncParts): readonly Account[] {
  return parts.pool.accounts().filter(account => listClassOf(account) === listClass)
}

async function askAccount(
  account: Account,
  known: ModelList | undefined,
  parts: CatalogueSyncParts,
): Promise<ModelList> {
  const provider = parts.providers[account.provider]
  const target = parts.pool.target(account.id)
  if (target === undefined) throw new Error("the account was removed while its models were asked for")
  const request = { ...provider.modelsRequest(target, known?.etag), account: account.id }
  const { reply, text } = await fetchText(request, parts)
  if (reply.status === 304 && known !== undefined) return { ...known, fetchedAtMs: parts.clock() }
  if (reply.status !== 200) {
    const failure = provider.readErrorReply({ status: reply.status, headers: reply.headers, bodyText: text })
    throw provider.readFailure(failure, { nowMs: parts.clock(), model: "" }).error
  }
  const etag = reply.headers.get("etag")
  const models = provider.readModels(parseJson(text))
  return { ...(etag !== null && { etag }), models, fetchedAtMs: parts.clock() }
}

function slugsOf(models: readonly ModelInfo[]): ReadonlySet<string> | undefined {
  return models.length === 0 ? undefined : new Set(models.map(model => model.slug))
}
