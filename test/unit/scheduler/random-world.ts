/** A scheduler under random events, and what a plain bookkeeper knows about it without asking. */

import type { AccountId } from "#core/ids.ts"
import type { BlockCause, BlockScope } from "#core/outcome.ts"
import { STRATEGIES, type Strategy } from "#scheduler/pick/strategies.ts"
import type { AccountFacts, AccountView, Demand, Lease } from "#scheduler/types.ts"

import { block, type Harness, id, makeHarness } from "./harness.ts"
import { isNotAfter, orderKeyOf } from "./pick-order.ts"
import { PlanDoubts } from "./plan-doubts.ts"

const ACCOUNTS = 24
const MODELS = ["gpt-5", "gpt-5-mini", "gpt-5-pro"]
const PLANS = ["free", "plus", "pro"]
const EGRESSES = ["direct", "proxy-1"]
const LIFECYCLES = ["enabled", "enabled", "enabled", "paused", "needs-login"] as const
const CREDENTIALS = ["fresh", "fresh", "due", "expired"] as const
const CAUSES: readonly BlockCause[] = ["quota", "burst", "server-error", "network", "credential", "forbidden"]

/** What the bookkeeper knows of one account. */
type Book = {
  readonly entered: number
  facts: AccountFacts
  models: readonly string[] | undefined
  readonly leases: Set<Lease>
  /** What the account is out of quota for (a model, or {@link WHOLE_ACCOUNT}), unless something clears that. */
  readonly spent: Map<string, Spent>
}

/** `untilMs`: at the least. Only an attempt that began after `confirmedAtMs` proves it wrong. */
type Spent = { readonly untilMs: number; readonly confirmedAtMs: number }

const WHOLE_ACCOUNT = "*"

type Waiting = { readonly cancel: () => void }

/** Random numbers that repeat with their seed. */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The world. `step` does one random thing, `check` compares everything; both throw when a promise is broken. */
export class RandomWorld {
  readonly harness: Harness = makeHarness({ accountConcurrency: 4, queueMax: 50, queueTimeoutMs: 5_000 })
  readonly books = new Map<AccountId, Book>()
  readonly waiting = new Set<Waiting>()
  readonly #doubts = new PlanDoubts()
  readonly #random: () => number
  readonly #untilMs = new Map<string, number>()
  #leases: Lease[] = []
  #entries = 0
  #strategy: Strategy = "least-loaded"
  picks = 0
  sampled = 0
  blocksSeen = 0

  constructor(seed: number) {
    this.#random = makeRandom(seed)
    for (let index = 0; index < ACCOUNTS; index++) this.#enter(`a${index}`)
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #oneOf<T>(values: readonly T[]): T {
    const value = values[this.#below(values.length)]
    if (value === undefined) throw new Error("nothing to choose from")
    return value
  }

  /** Does one random thing a millisecond or more after the last one. */
  async step(): Promise<void> {
    this.harness.time.advance(1 + this.#below(20))
    await this.#settle()
    const what = this.#below(1000)
    if (what < 450) this.#ask()
    else if (what < 870) this.#release()
    else if (what < 900) this.#succeed()
    else if (what < 930) this.#fail()
    else this.#change(what)
    await this.#settle()
    const { leases, waiting } = this.harness.scheduler.counts()
    this.#claim(leases === this.#leases.length, `${leases} slots for ${this.#leases.length} attempts`)
    this.#claim(waiting === this.waiting.size, `${waiting} in line, ${this.waiting.size} expected`)
  }

  /** Hand-overs settle their promises before anything else happens or is compared. */
  async #settle(): Promise<void> {
    if (this.waiting.size > 0) for (let turn = 0; turn < 4; turn++) await Promise.resolve()
  }

  #change(what: number): void {
    if (what < 940) this.#cancelOne()
    else if (what < 955) this.#observeQuota()
    else if (what < 965) this.#setAxis()
    else if (what < 972) this.#setModels()
    else if (what < 980) this.#comeOrGo()
    else if (what < 985) this.harness.scheduler.clearBlocks(this.#cleared())
    else if (what < 990) this.harness.time.advance(this.#below(40_000))
    else this.#changeLimits(what)
  }

  #changeLimits(what: number): void {
    const { limits } = this.harness
    if (what < 993) this.#switchPolicy()
    else if (what < 996) limits.accountConcurrency = 1 + this.#below(8)
    else if (what < 998) limits.healthTiers = this.#below(2) === 0
    else limits.learnConcurrency = this.#below(2) === 0
    // Limits are taken over with the next request; this one is only there for that.
    const acquired = this.harness.ask({ deadlineMs: 0 })
    if (acquired.type === "lease") acquired.lease.release()
  }

  #claim(holds: boolean, what: string): void {
    if (!holds) throw new Error(what)
  }

  #book(account: AccountId): Book {
    const book = this.books.get(account)
    if (book === undefined) throw new Error(`${account} is not in the pool`)
    return book
  }

  #enter(name: string): void {
    const cap = this.#below(4) === 0 ? 1 + this.#below(6) : undefined
    const facts: AccountFacts = {
      id: id(name),
      provider: this.#below(4) === 0 ? "openai-api" : "codex",
      plan: this.#oneOf(PLANS),
      lifecycle: "enabled",
      credential: "fresh",
      egress: this.#oneOf(EGRESSES),
      priority: this.#below(3) * 10,
      weight: 1 + this.#below(3),
      tags: this.#below(2) === 0 ? ["night"] : [],
      ...(cap !== undefined && { cap }),
    }
    const known = this.books.get(id(name))
    this.#entries += 1
    this.books.set(id(name), {
      entered: known?.entered ?? this.#entries,
      facts,
      models: known?.models,
      leases: known?.leases ?? new Set(),
      spent: known?.spent ?? new Map(),
    })
    this.harness.scheduler.upsert(facts)
  }

  #comeOrGo(): void {
    const name = `a${this.#below(ACCOUNTS)}`
    const book = this.books.get(id(name))
    // One that is still at work when it goes would come back under its old number: kept apart by its name.
    if (book === undefined || book.leases.size > 0) {
      this.#enter(name)
      return
    }
    this.books.delete(id(name))
    this.harness.scheduler.remove(id(name))
  }

  #someone(): AccountId {
    return this.#oneOf([...this.books.keys()])
  }

  #cleared(): AccountId {
    const account = this.#someone()
    const book = this.#book(account)
    book.spent.clear()
    for (const model of MODELS) this.#doubts.forget(book.facts, model)
    return account
  }

  #setAxis(): void {
    const account = this.#someone()
    const book = this.#book(account)
    if (this.#below(2) === 0) {
      const lifecycle = this.#oneOf(LIFECYCLES)
      book.facts = { ...book.facts, lifecycle }
      this.harness.scheduler.setLifecycle(account, lifecycle)
    } else {
      const credential = this.#oneOf(CREDENTIALS)
      book.facts = { ...book.facts, credential }
      this.harness.scheduler.setCredential(account, credential)
    }
  }

  #setModels(): void {
    const account = this.#someone()
    const models = this.#below(3) === 0 ? undefined : MODELS.filter(() => this.#below(4) > 0)
    this.#book(account).models = models
    this.harness.scheduler.setModels(account, models && new Set(models))
  }

  #switchPolicy(): void {
    this.#strategy = this.#oneOf(STRATEGIES)
    this.harness.limits.strategy = this.#strategy
  }

  #observeQuota(): void {
    const hour = 3_600_000
    this.harness.quota(this.#someone(), [
      { hours: 5, used: this.#below(100), resetsInMs: this.#below(5 * hour) },
      { hours: 168, used: this.#below(100), resetsInMs: this.#below(100 * hour) },
    ])
  }

  #ask(): void {
    const exclude = new Set(this.#below(4) === 0 ? [this.#someone(), this.#someone()] : [])
    const tags = this.#below(10) === 0 ? ["night"] : undefined
    const demand: Partial<Demand> = {
      model: this.#oneOf(MODELS),
      keyId: `key${this.#below(4)}`,
      exclude,
      ...(this.#below(10) === 0 && { providers: ["codex"] as const }),
      ...(tags !== undefined && { tags }),
      ...(this.#below(10) === 0 && { prefer: this.#someone() }),
    }
    // The policy in force is the one the limits name when the request comes.
    const isSampled = this.#below(40) === 0
    let by: string | undefined
    const before = isSampled ? this.harness.scheduler.view() : []
    const watched = isSampled
      ? {
          explain: (_: string, write: () => { by?: string }) => {
            by = write().by
          },
        }
      : {}
    const acquired = this.harness.ask({ ...demand, ...watched })
    if (acquired.type === "lease") {
      this.#granted(acquired.lease, demand)
      if (by === "strategy") this.#compareOrder(acquired.lease, demand, before)
    }
    if (acquired.type === "wait") this.#lineUp(acquired, demand)
  }

  #lineUp(acquired: { readonly lease: Promise<Lease>; readonly cancel: () => void }, demand: Partial<Demand>): void {
    const waiting: Waiting = { cancel: acquired.cancel }
    this.waiting.add(waiting)
    acquired.lease.then(
      lease => {
        this.waiting.delete(waiting)
        this.#granted(lease, demand)
      },
      () => this.waiting.delete(waiting),
    )
  }

  /** No pick outside eligibility, as far as the bookkeeper knows by itself. */
  #granted(lease: Lease, { model = "", exclude, providers, tags }: Partial<Demand>): void {
    const { facts, models, leases, spent } = this.#book(lease.account)
    const nowMs = this.harness.time.clock()
    this.picks += 1
    this.#claim(exclude?.has(lease.account) !== true, `${lease.account} was excluded`)
    this.#claim(facts.lifecycle === "enabled", `${lease.account} is ${facts.lifecycle}`)
    this.#claim(facts.credential === "fresh" || facts.credential === "due", `${lease.account}: ${facts.credential}`)
    this.#claim(models?.includes(model) !== false, `${lease.account} has no ${model}`)
    this.#claim(!this.#doubts.lacks(facts, model, nowMs), `${lease.account}'s plan has no ${model}`)
    this.#claim(providers?.includes(facts.provider) !== false, `${lease.account} is of ${facts.provider}`)
    this.#claim(tags?.every(tag => facts.tags?.includes(tag)) !== false, `${lease.account} lacks a tag`)
    for (const what of [WHOLE_ACCOUNT, model]) {
      this.#claim((spent.get(what)?.untilMs ?? 0) <= nowMs, `${lease.account} is out of quota for ${what}`)
    }
    leases.add(lease)
    this.#leases.push(lease)
    const most = facts.cap ?? Math.max(8, this.harness.limits.accountConcurrency)
    this.#claim(leases.size <= most, `${lease.account} has ${leases.size} of ${most}`)
  }

  /** The pick is the first by priority, tier, band and the policy's own order, found by looking at everybody. */
  #compareOrder(
    lease: Lease,
    { model = "", exclude, providers, tags }: Partial<Demand>,
    before: readonly AccountView[],
  ): void {
    const nowMs = this.harness.time.clock()
    const healthTiers = this.harness.limits.healthTiers !== false
    const keyOf = (account: AccountView) =>
      orderKeyOf(account, { strategy: this.#strategy, healthTiers, nowMs, entered: this.#book(account.id).entered })
    const candidates = before.filter(account => {
      const { models, facts } = this.#book(account.id)
      if (this.#doubts.lacks(facts, model, nowMs)) return false
      if (!account.available || account.load >= account.cap || exclude?.has(account.id)) return false
      // Whether somebody is probing an account is not shown: one that might be is left out.
      if (account.probing) return false
      if (models?.includes(model) === false || providers?.includes(account.provider) === false) return false
      if (tags?.every(tag => account.tags.includes(tag)) === false) return false
      return !account.blocks.some(({ scope }) => scope.type === "model" && scope.model === model)
    })
    const picked = before.find(account => account.id === lease.account)
    if (picked === undefined) throw new Error(`${lease.account} was not shown`)
    this.sampled += 1
    for (const other of candidates) {
      this.#claim(isNotAfter(keyOf(picked), keyOf(other)), `${picked.id} before ${other.id} under ${this.#strategy}`)
    }
  }

  #release(): void {
    const index = this.#below(this.#leases.length + 1)
    const lease = this.#leases[index]
    const last = this.#leases.at(-1)
    if (lease === undefined || last === undefined) return
    this.#leases[index] = last
    this.#leases.pop()
    this.#book(lease.account).leases.delete(lease)
    lease.release()
    if (this.#below(20) === 0) lease.release()
  }

  #cancelOne(): void {
    const [first] = this.waiting
    first?.cancel()
  }

  #succeed(): void {
    const account = this.#someone()
    const startedAtMs = this.harness.time.clock() - this.#below(30_000)
    const model = this.#oneOf(MODELS)
    const book = this.#book(account)
    for (const what of [WHOLE_ACCOUNT, model]) {
      if (startedAtMs > (book.spent.get(what)?.confirmedAtMs ?? 0)) book.spent.delete(what)
    }
    this.#doubts.served(book.facts, model, startedAtMs)
    this.harness.succeed(account, { startedAtMs, model, firstOutputMs: this.#below(12_000) })
  }

  #fail(): void {
    const account = this.#someone()
    const model = this.#oneOf(MODELS)
    const nowMs = this.harness.time.clock()
    const cause = this.#below(12) === 0 ? "model-unsupported" : this.#oneOf(CAUSES)
    const isWide = cause !== "model-unsupported" && this.#below(3) > 0
    const scope: BlockScope = isWide ? { type: "account" } : { type: "model", model }
    const forMs = 1_000 + this.#below(60_000)
    const what = this.#below(20)
    if (what === 0) this.harness.report(account, { type: "none" }, { model, kind: "rate-limited" })
    if (what === 1) this.harness.report(account, block("challenge", forMs, { type: "egress" }), { model })
    if (what <= 1) return
    const book = this.#book(account)
    if (cause === "quota") {
      const what = isWide ? WHOLE_ACCOUNT : model
      const untilMs = Math.max(book.spent.get(what)?.untilMs ?? 0, nowMs + forMs)
      book.spent.set(what, { untilMs, confirmedAtMs: nowMs })
    }
    if (cause === "model-unsupported") this.#doubts.refused(book.facts, model, { nowMs, forMs })
    this.harness.report(account, block(cause, forMs, scope), { model })
  }

  /** Compares everything that is shown with the books; blocks of one cause never end sooner than they were to. */
  check(): void {
    const views = this.harness.scheduler.view()
    this.#claim(views.length === this.books.size, `${views.length} accounts shown, ${this.books.size} in the books`)
    const seen = new Map<string, number>()
    for (const view of views) {
      const { leases } = this.#book(view.id)
      this.#claim(view.load === leases.size, `${view.id}: load ${view.load}, ${leases.size} attempts`)
      this.#claim(view.cap <= view.ceiling, `${view.id}: cap ${view.cap} over ${view.ceiling}`)
      for (const { scope, cause, sinceMs, untilMs } of view.blocks) {
        const name = [view.id, scope.type, scope.type === "model" ? scope.model : "", cause, sinceMs].join(" ")
        this.#claim(untilMs >= (this.#untilMs.get(name) ?? 0), `${name} ends sooner than before`)
        seen.set(name, untilMs)
        this.blocksSeen += 1
      }
    }
    this.#untilMs.clear()
    for (const [name, untilMs] of seen) this.#untilMs.set(name, untilMs)
  }

  /** Gives everything back and looks whether anything is left. */
  async end(): Promise<void> {
    for (const { cancel } of this.waiting) cancel()
    for (let turn = 0; turn < 4; turn++) await Promise.resolve()
    while (this.#leases.length > 0) this.#release()
    this.check()
    for (const account of this.books.keys()) this.harness.scheduler.remove(account)
    this.books.clear()
    const { total, leases, waiting } = this.harness.scheduler.counts()
    this.#claim(total + leases + waiting === 0, `${total} accounts, ${leases} slots, ${waiting} in line are left`)
    // Longer than anything rests.
    this.harness.time.advance(40 * 24 * 3_600_000)
    this.#claim(this.harness.time.waiting().length === 0, "a timer is left")
  }
}
