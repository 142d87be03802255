/** The assignment routes of icebear0828/codex-proxy: one, many, by rule, out, in with a look beforehand. */

import { type Static, Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { Desk } from "#gateway/desk/desk.ts"
import { type AdminParts, readOrder } from "#http/admin/admin-route.ts"

import { adapterRoute, FLAT_FAILURE } from "./adapter-route.ts"
import { icebearStatus } from "./icebear-account.ts"
import { icebearProxy, icebearProxyId, icebearProxyName, wayOfIcebear } from "./icebear-proxy.ts"

const RAW = { parse: "none" } as const
const MANY = { minItems: 1, maxItems: 100_000 }
const ONE = Type.Object({ accountId: Type.String(), proxyId: Type.String() })
const BULK = Type.Object({ assignments: Type.Array(ONE, MANY) })
const RULE = Type.Object({
  accountIds: Type.Array(Type.String(), MANY),
  rule: Type.Literal("round-robin"),
  targetProxyIds: Type.Array(Type.String(), MANY),
})
const BY_EMAIL = Type.Object({
  assignments: Type.Array(Type.Object({ email: Type.String(), proxyId: Type.String() }), { maxItems: 100_000 }),
})

type Pair = Static<typeof ONE>

/** Every assignment that is one, as that system lists them. */
export function oldAssignments(desk: Desk): readonly Pair[] {
  return desk.proxies
    .assignments()
    .filter(({ mode }) => mode !== "inherit")
    .map(one => ({ accountId: one.account, proxyId: icebearProxyId(one) }))
}

/** Returns the routes as one Elysia plugin, without their prefix. */
export function icebearAssignmentRoutes(parts: AdminParts) {
  const { desk } = parts
  const route = (request: Request, handle: () => unknown) =>
    adapterRoute({ request, shape: FLAT_FAILURE }, parts, handle)
  return new Elysia({ name: "icebear-assignments" })
    .get("/assignments", ({ request }) => route(request, () => everyAccount(desk)))
    .get("/assignments/export", ({ request }) => route(request, () => byEmail(desk)))
    .post(
      "/assignments/import",
      ({ request }) => route(request, async () => preview(desk, await readOrder(request, BY_EMAIL, parts))),
      RAW,
    )
    .post(
      "/assignments/apply",
      ({ request }) => route(request, async () => applyAll(desk, (await readOrder(request, BULK, parts)).assignments)),
      RAW,
    )
    .post("/assign", ({ request }) => route(request, async () => one(desk, await readOrder(request, ONE, parts))), RAW)
    .delete("/assign/:accountId", ({ request, params }) =>
      route(request, () => {
        desk.proxies.assign({ accounts: [params.accountId], to: ["inherit"], isDryRun: false })
        return { success: true }
      }),
    )
    .post(
      "/assign-bulk",
      ({ request }) => route(request, async () => applyAll(desk, (await readOrder(request, BULK, parts)).assignments)),
      RAW,
    )
    .post(
      "/assign-rule",
      ({ request }) => route(request, async () => byRule(desk, await readOrder(request, RULE, parts))),
      RAW,
    )
}

function everyAccount(desk: Desk): object {
  const known = new Map([...desk.list(), ...desk.list({ isArchived: true })].map(one => [one.id, one]))
  const accounts = desk.proxies.assignments().map(assignment => {
    const account = known.get(assignment.account)
    return {
      id: assignment.account,
      email: assignment.email,
      status: account === undefined ? "disabled" : icebearStatus(account),
      proxyId: icebearProxyId(assignment),
      proxyName: icebearProxyName(assignment),
    }
  })
  return { accounts, proxies: desk.proxies.list().map(icebearProxy) }
}

function byEmail(desk: Desk): object {
  const assigned = desk.proxies.assignments().filter(({ mode, email }) => mode !== "inherit" && email !== null)
  return { assignments: assigned.map(one => ({ email: one.email, proxyId: icebearProxyId(one) })) }
}

function preview(desk: Desk, { assignments }: Static<typeof BY_EMAIL>): object {
  const byMail = new Map(desk.proxies.assignments().map(one => [one.email, one]))
  const found = assignments.flatMap(({ email, proxyId }) => {
    const present = byMail.get(email)
    return present === undefined
      ? []
      : [{ email, accountId: present.account, from: icebearProxyId(present), to: proxyId }]
  })
  const changes = found.filter(({ from, to }) => from !== to)
  return { changes, unchanged: found.length - changes.length }
}

function one(desk: Desk, { accountId, proxyId }: Pair): object {
  desk.proxies.assign({ accounts: [accountId], to: [wayOfIcebear(desk, proxyId)], isDryRun: false })
  const assignment = desk.proxies.assignments().find(({ account }) => account === accountId)
  return {
    success: true,
    assignment: { accountId, proxyId },
    displayName: assignment === undefined ? "" : icebearProxyName(assignment),
  }
}

/** Everything is looked at before the first account changes. */
function applyAll(desk: Desk, assignments: readonly Pair[]): { readonly success: true; readonly applied: number } {
  const known = new Set<string>(desk.proxies.assignments().map(({ account }) => account))
  const unknown = assignments.find(({ accountId }) => !known.has(accountId))
  if (unknown !== undefined) throw new GatewayError("not-found", "Account not found", { code: "account_not_found" })
  const byWay = Map.groupBy(assignments, ({ proxyId }) => wayOfIcebear(desk, proxyId))
  for (const [way, pairs] of byWay) {
    desk.proxies.assign({ accounts: pairs.map(({ accountId }) => accountId), to: [way], isDryRun: false })
  }
  return { success: true, applied: assignments.length }
}

function byRule(desk: Desk, { accountIds, targetProxyIds }: Static<typeof RULE>): object {
  const assignments = accountIds.map((accountId, index) => ({
    accountId,
    proxyId: targetProxyIds[index % targetProxyIds.length] ?? "global",
  }))
  return { ...applyAll(desk, assignments), assignments }
}
