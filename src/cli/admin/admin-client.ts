/** The operators' surface as functions, whichever way the orders travel. */

import type { AccountReport } from "#gateway/desk/account-report.ts"
import type { TroubleReport } from "#gateway/desk/desk.ts"
import type { ImportReport } from "#gateway/desk/intake.ts"
import type { TestReport } from "#gateway/desk/orders.ts"
import type { RedemptionReport, ResetCreditList } from "#gateway/desk/reset-credits.ts"
import type { RefreshReport } from "#gateway/pool/operators.ts"
import type { RemovedAccount } from "#http/admin/accounts.ts"
import type { AdminGreeting } from "#http/admin/admin.ts"

import type { AdminConnection, AdminReply, AdminRequest } from "./admin-connection.ts"
import { makeAsking, WORK } from "./ask-surface.ts"
import { type KeyOrders, makeKeyOrders } from "./key-orders.ts"
import { readJson } from "./read-answer.ts"

/** Names of accounts, or all that serve. */
export type Names = readonly string[] | "all"

/** Orders that answer with the accounts as they are afterwards. */
export type QuickAction = "pause" | "enable" | "archive" | "restore" | "reset"

/** A list with what is wrong among the account files. */
export type AccountList = { readonly accounts: readonly AccountReport[]; readonly trouble: TroubleReport }

/** Accounts as a text. */
export type ExportAnswer = {
  readonly text: string
  readonly count: number
  readonly skipped: readonly { readonly id: string; readonly reason: string }[]
}

/** A change of what operators set; `null` takes it back. */
export type AccountChange = {
  readonly label?: string | null
  readonly note?: string | null
  readonly tags?: readonly string[] | null
}

/** Which reset credit is spent, and whether although nothing is used up. */
export type RedeemOrder = { readonly credit_id?: string; readonly even_if_open?: boolean }

/** Told about each step of a long order. */
export type OnStep<Step> = (step: Step & { readonly done: number; readonly total: number }) => void

/** The surface. Everything rejects with the gateway's own refusal, `upstream-unavailable`, `timeout` or `cancelled`. */
export type AdminClient = {
  readonly where: string
  /** Asks whether the way and the key are right. */
  readonly greet: () => Promise<AdminGreeting>
  readonly list: (query: URLSearchParams) => Promise<AccountList>
  readonly show: (name: string) => Promise<AccountReport>
  readonly order: (action: QuickAction, names: Names) => Promise<readonly AccountReport[]>
  readonly change: (names: Names, change: AccountChange) => Promise<readonly AccountReport[]>
  readonly remove: (names: Names) => Promise<readonly RemovedAccount[]>
  readonly refresh: (names: Names, onStep: OnStep<RefreshReport>) => Promise<readonly RefreshReport[]>
  readonly test: (names: Names, onStep: OnStep<TestReport>) => Promise<readonly TestReport[]>
  readonly resetCredits: (name: string) => Promise<ResetCreditList>
  /** Spends one; whoever calls has asked for it twice. */
  readonly redeem: (name: string, wish: RedeemOrder) => Promise<RedemptionReport>
  readonly import: (form: FormData, onWritten: (written: number, total: number) => void) => Promise<ImportReport>
  readonly export: (names: Names, format: string) => Promise<ExportAnswer>
  readonly keys: KeyOrders
  /** For parts of the surface that have clients of their own; `member` is one by which the answer is known. */
  readonly ask: <Answer>(request: AdminRequest, member: string) => Promise<Answer>
  /** The same for orders that tell their steps. */
  readonly follow: <Answer, Step>(
    request: Pick<AdminRequest, "path" | "body" | "headers">,
    member: string,
    onStep: (step: Step) => void,
  ) => Promise<Answer>
  /** Reads what has no function of its own. `Answer` is what the route of this version returns; `member` is looked for in it. */
  readonly get: <Answer>(path: string, member: string) => Promise<Answer>
  /** Makes and receives something large; the caller reads the body. */
  readonly download: (path: string) => Promise<AdminReply>
  readonly close: () => Promise<void>
}

/** Enough for a look; a gateway that is alive needs milliseconds. */
const GREETING = { silenceMs: 5_000 }
const ACCOUNTS = "/api/admin/accounts"
const BATCH = `${ACCOUNTS}/batch`

const creditsOf = (name: string) => `${ACCOUNTS}/${encodeURIComponent(name)}/reset-credits`

/** Makes the client; `signal` is Ctrl-C. */
export function makeAdminClient(connection: AdminConnection, signal: AbortSignal): AdminClient {
  const { where, send, close } = connection
  const { ask, follow, orCancelled } = makeAsking(connection, signal)
  const batch = (order: object): AdminRequest => ({ method: "POST", path: BATCH, body: JSON.stringify(order) })
  const accountsOf = async (order: object) =>
    (await ask<{ readonly accounts: readonly AccountReport[] }>(batch(order), "accounts")).accounts
  const followed = async <Report>(action: "refresh" | "test", names: Names, onStep: OnStep<Report>) =>
    (
      await follow<{ readonly accounts: readonly Report[] }, Parameters<OnStep<Report>>[0]>(
        batch({ action, ids: names }),
        "accounts",
        onStep,
      )
    ).accounts

  return {
    where,
    greet: () => ask({ method: "GET", path: "/api/admin" }, "service", GREETING),
    list: query => ask({ method: "GET", path: `${ACCOUNTS}?${query}` }, "accounts"),
    show: name => ask({ method: "GET", path: `${ACCOUNTS}/${encodeURIComponent(name)}` }, "id"),
    order: (action, names) => accountsOf({ action, ids: names }),
    change: (names, change) => accountsOf({ action: "change", ids: names, ...change }),
    remove: async names => {
      const order = batch({ action: "delete", ids: names, confirm: true })
      return (await ask<{ readonly removed: readonly RemovedAccount[] }>(order, "removed")).removed
    },
    refresh: (names, onStep) => followed("refresh", names, onStep),
    test: (names, onStep) => followed("test", names, onStep),
    resetCredits: name => ask({ method: "GET", path: creditsOf(name) }, "credits"),
    redeem: (name, wish) => {
      const body = JSON.stringify({ ...wish, confirm: true })
      return ask({ method: "POST", path: creditsOf(name), body }, "outcome")
    },
    import: async (form, onWritten) => {
      // Encoded once, so that both ways carry the same bytes.
      const encoded = new Response(form)
      const headers = { "content-type": encoded.headers.get("content-type") ?? "" }
      const order = { path: `${ACCOUNTS}/import`, headers, body: await encoded.bytes() }
      return follow(order, "results", (step: { written: number; total: number }) => onWritten(step.written, step.total))
    },
    export: (names, format) =>
      ask({ method: "POST", path: `${ACCOUNTS}/export`, body: JSON.stringify({ ids: names, format }) }, "text"),
    keys: makeKeyOrders(ask),
    ask: (request, member) => ask(request, member),
    follow,
    download: async path => {
      const reply = await orCancelled(() => send({ method: "POST", path }, signal, WORK))
      // Reading the refusal throws it.
      if (reply.status !== 200) await readJson(reply, where)
      return reply
    },
    get: (path, member) => ask({ method: "GET", path }, member),
    close,
  }
}
