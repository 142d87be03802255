/** `/api/admin/accounts/:id/cookies`: the cookies that go along with an account's requests. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import type { Json } from "#core/json.ts"

import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"

const COOKIES = Type.Object({ cookies: Type.Unsafe<Json>(Type.Any()) })

/** Returns the routes as one Elysia plugin. */
export function cookieRoutes(parts: AdminParts) {
  const { cookies } = parts.desk
  return new Elysia({ name: "admin-cookies", prefix: "/api/admin/accounts" })
    .get("/:id/cookies", ({ request, params }) =>
      adminRoute(request, parts, ({ searchParams }) => {
        const shown = searchParams.get("values") === "true" ? "in full" : "masked"
        const body = { cookies: cookies.list(params.id, shown) }
        return Response.json(body, { headers: { "cache-control": "no-store" } })
      }),
    )
    .post(
      "/:id/cookies",
      ({ request, params }) =>
        adminRoute(request, parts, async () => {
          cookies.put(params.id, (await readOrder(request, COOKIES, parts)).cookies)
          return { cookies: cookies.list(params.id, "masked") }
        }),
      { parse: "none" },
    )
    .delete("/:id/cookies", ({ request, params }) =>
      adminRoute(request, parts, ({ searchParams }) => {
        cookies.remove(params.id, searchParams.get("name") ?? undefined)
        return { cookies: cookies.list(params.id, "masked") }
      }),
    )
}
