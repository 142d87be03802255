/** `/api/admin/accounts`: list, show, change, and orders for one account or many. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { Desk } from "#gateway/desk/desk.ts"
import { needsConfirmation } from "#gateway/desk/needs-confirmation.ts"
import type { Targets } from "#gateway/desk/targets.ts"
import { codex2apiAccount } from "#http/adapters/codex2api.ts"
import { report } from "#http/progress.ts"

import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"

const CHANGE = Type.Object({
  label: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  note: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  tags: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
  enabled: Type.Optional(Type.Boolean()),
})

const ACTIONS = ["pause", "enable", "archive", "restore", "reset", "refresh", "test", "delete"] as const

const BATCH = Type.Intersect([
  Type.Object({
    action: Type.Union([...ACTIONS.map(action => Type.Literal(action)), Type.Literal("change")]),
    ids: Type.Union([Type.Literal("all"), Type.Array(Type.String(), { maxItems: 100_000 })]),
    confirm: Type.Optional(Type.Boolean()),
  }),
  CHANGE,
])

const ONE = Type.Object({ confirm: Type.Optional(Type.Boolean()) })

type Action = (typeof ACTIONS)[number]

/** Returns the routes as one Elysia plugin. */
export function accountRoutes(parts: AdminParts) {
  const { desk } = parts
  return new Elysia({ name: "admin-accounts", prefix: "/api/admin/accounts" })
    .get("", ({ request }) => adminRoute(request, parts, url => list(desk, url)))
    .post("/batch", ({ request }) =>
      adminRoute(request, parts, async () => {
        const { action, ids, confirm = false, ...change } = await readOrder(request, BATCH, parts)
        return action === "change"
          ? shown(desk, desk.change(ids, change))
          : carryOut(request, desk, { action, ids, confirm })
      }),
    )
    .get("/:id", ({ request, params }) => adminRoute(request, parts, () => showOne(desk, params.id)))
    .patch("/:id", ({ request, params }) =>
      adminRoute(request, parts, async () => {
        desk.change([params.id], await readOrder(request, CHANGE, parts))
        return showOne(desk, params.id)
      }),
    )
    .delete("/:id", ({ request, params }) =>
      adminRoute(request, parts, async url => {
        const confirm = url.searchParams.get("confirm") === "true" || (await readOrder(request, ONE, parts)).confirm
        return carryOut(request, desk, { action: "delete", ids: [params.id], confirm: confirm === true })
      }),
    )
    .post("/:id/:action", ({ request, params }) =>
      adminRoute(request, parts, async () => {
        const { confirm = false } = await readOrder(request, ONE, parts)
        return carryOut(request, desk, { action: actionOf(params.action), ids: [params.id], confirm })
      }),
    )
}

function list(desk: Desk, { searchParams }: URL): unknown {
  const accounts = desk.list({
    isArchived: searchParams.get("archived") === "true",
    state: searchParams.get("state") ?? undefined,
    tag: searchParams.get("tag") ?? undefined,
    search: searchParams.get("search") ?? undefined,
  })
  const isForeign = searchParams.get("shape") === "codex2api"
  const shown = isForeign ? accounts.map(codex2apiAccount) : accounts
  return { total: accounts.length, accounts: shown, trouble: desk.trouble() }
}

function showOne(desk: Desk, name: string): unknown {
  return desk.show([name])[0]
}

function shown(desk: Desk, accounts: ReturnType<Desk["change"]>): unknown {
  return { accounts: desk.show(accounts.map(account => account.id)) }
}

function actionOf(text: string): Action {
  const found = ACTIONS.find(action => action === text)
  if (found !== undefined) return found
  throw new GatewayError("not-found", `There is no order "${text}".`, { hint: `Known are ${ACTIONS.join(", ")}.` })
}

type Order = { readonly action: Action; readonly ids: Targets; readonly confirm: boolean }

/** Answers with the accounts as they are afterwards, or with a report of each where an order takes its time. */
function carryOut(request: Request, desk: Desk, { action, ids, confirm }: Order): unknown {
  switch (action) {
    case "pause":
      return shown(desk, desk.change(ids, { enabled: false }))
    case "enable":
      return shown(desk, desk.change(ids, { enabled: true }))
    case "archive":
      return shown(desk, desk.archive(ids))
    case "restore":
      return shown(desk, desk.restore(ids))
    case "reset":
      return shown(desk, desk.reset(ids))
    case "refresh":
      return report(request, async onProgress => ({ accounts: await desk.refresh(ids, onProgress, request.signal) }))
    case "test":
      return report(request, async onProgress => ({ accounts: await desk.test(ids, onProgress, request.signal) }))
    case "delete":
      if (!confirm) throw needsConfirmation("Deleting accounts")
      return desk.remove(ids).then(removals => ({ removed: removals.map(removed) }))
  }
}

/** What was done to remove one account. */
export type RemovedAccount = {
  readonly id: string
  readonly was_stored: boolean
  readonly files: readonly { readonly path: string; readonly what: string }[]
}

function removed({ id, files, wasStored }: Awaited<ReturnType<Desk["remove"]>>[number]): RemovedAccount {
  return { id, was_stored: wasStored, files }
}
