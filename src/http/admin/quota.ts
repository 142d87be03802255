/** `/api/admin/quota` and an account's own: what the pool has left, and how it went. */

import { Elysia } from "elysia"

import { type AdminParts, adminRoute } from "./admin-route.ts"

/** Returns the routes as one Elysia plugin. */
export function quotaRoutes(parts: AdminParts) {
  const { quota } = parts.desk
  return new Elysia({ name: "admin-quota", prefix: "/api/admin" })
    .get("/quota", ({ request }) => adminRoute(request, parts, quota.forecast))
    .get("/quota/warnings", ({ request }) => adminRoute(request, parts, () => ({ warnings: quota.warnings() })))
    .get("/accounts/:id/quota/history", ({ request, params }) =>
      adminRoute(request, parts, () => ({ windows: quota.history(params.id) })),
    )
}
