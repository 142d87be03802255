/** `/api/admin/ollama-status`: how Ollama's port is doing. */

import { Elysia } from "elysia"

import { type AdminParts, adminRoute } from "./admin-route.ts"

/** Returns the route as one Elysia plugin. */
export function ollamaStatusRoutes(parts: AdminParts) {
  return new Elysia({ name: "admin-ollama", prefix: "/api/admin" }).get("/ollama-status", ({ request }) =>
    adminRoute(request, parts, parts.ollamaStatus),
  )
}
