/** The operators' surface as an application: our routes and those of the systems that Sluice replaces. */

import { Elysia } from "elysia"

import type { Clock } from "#core/clock.ts"

import { adapterRoutes } from "./adapters/adapters.ts"
import { adminRoutes } from "./admin/admin.ts"
import type { AdminParts } from "./admin/admin-route.ts"
import { compileSurface } from "./admin/compile-surface.ts"

/** Builds it; whoever passes requests on has not read their bodies. */
export function makeOperatorsApplication(parts: AdminParts, clock: Clock): (request: Request) => Promise<Response> {
  return compileSurface(new Elysia().use(adminRoutes(parts)).use(adapterRoutes(parts, clock)))
}
