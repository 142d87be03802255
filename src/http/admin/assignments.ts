/** `/api/admin/proxies/assignments` and `/assign`: which account goes out by which way. */

import { type Static, Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import type { AssignOrder } from "#gateway/desk/assign.ts"

import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"

const NAMES = Type.Array(Type.String(), { maxItems: 100_000 })

const RULE = Type.Object(
  {
    tag: Type.Optional(Type.String()),
    plan: Type.Optional(Type.String()),
    provider: Type.Optional(Type.String()),
    source: Type.Optional(Type.Union([Type.Literal("file"), Type.Literal("store")])),
    prefix: Type.Optional(Type.String()),
    mode: Type.Optional(
      Type.Union([Type.Literal("inherit"), Type.Literal("direct"), Type.Literal("fixed"), Type.Literal("pool")]),
    ),
    proxy: Type.Optional(Type.String()),
  },
  // A rule that is misspelt would fit everybody.
  { additionalProperties: false },
)

const ASSIGN = Type.Object({
  accounts: Type.Union([Type.Literal("all"), NAMES]),
  rule: Type.Optional(RULE),
  to: Type.Union([Type.String(), NAMES]),
  dry_run: Type.Optional(Type.Boolean()),
})

/** Returns the routes as one Elysia plugin, without their prefix. */
export function assignmentRoutes(parts: AdminParts) {
  const { proxies } = parts.desk
  return new Elysia({ name: "admin-assignments" })
    .get("/assignments", ({ request }) =>
      adminRoute(request, parts, () => {
        const assignments = proxies.assignments()
        return { total: assignments.length, assignments }
      }),
    )
    .post("/assign", ({ request }) =>
      adminRoute(request, parts, async () => proxies.assign(orderOf(await readOrder(request, ASSIGN, parts)))),
    )
}

function orderOf({ accounts, rule, to, dry_run }: Static<typeof ASSIGN>): AssignOrder {
  return { accounts, rule, to: typeof to === "string" ? [to] : to, isDryRun: dry_run === true }
}
