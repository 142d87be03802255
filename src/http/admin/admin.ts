/** The operators' surface under `/api/admin`. */

import { Elysia } from "elysia"

import { accountRoutes } from "./accounts.ts"
import type { AdminParts } from "./admin-route.ts"
import { intakeRoutes } from "./intake.ts"

/** Returns every route of the surface as one Elysia plugin. */
export function adminRoutes(parts: AdminParts) {
  return new Elysia({ name: "admin" }).use(intakeRoutes(parts)).use(accountRoutes(parts))
}
