/** The door to the operators' surface: its routes are built by the first request, because a start need not wait for them. */

import { Elysia } from "elysia"

import type { Clock } from "#core/clock.ts"

import type { AdminParts } from "./admin/admin-route.ts"

/** Every address that belongs to the surface: ours, and those of replaced systems. */
const PATHS = [
  "/api/admin",
  "/api/admin/*",
  "/api/proxies",
  "/api/proxies/*",
  "/admin/*",
  "/auth/*",
  "/recover-auth",
] as const

type Serve = (request: Request) => Promise<Response>

/** Returns the door as one Elysia plugin. The routes behind it take 10 to 20 ms to build. */
export function operatorRoutes(parts: AdminParts, clock: Clock) {
  let built: Promise<Serve> | undefined
  const serve = async (request: Request): Promise<Response> => {
    built ??= import("./operators-application.ts").then(loaded => loaded.makeOperatorsApplication(parts, clock))
    return (await built)(request)
  }
  const door = new Elysia({ name: "operators" })
  for (const path of PATHS) door.all(path, ({ request }) => serve(request), { parse: "none" })
  return door
}
