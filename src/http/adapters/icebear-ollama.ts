/** The status route of icebear0828/codex-proxy's Ollama bridge. */

import { Elysia } from "elysia"

import type { AdminParts } from "#http/admin/admin-route.ts"

import { adapterRoute, FLAT_FAILURE } from "./adapter-route.ts"

/** Returns the route as one Elysia plugin. */
export function icebearOllamaRoutes(parts: AdminParts) {
  return new Elysia({ name: "icebear-ollama" }).get("/admin/ollama-status", ({ request }) =>
    adapterRoute({ request, shape: FLAT_FAILURE }, parts, () => {
      const { url, since, ...status } = parts.ollamaStatus()
      // That system asked itself over HTTP; here the port is another door of the same process.
      return { ...status, endpoint: url ?? endpointOf(status), upstream_base_url: null, started_at: since }
    }),
  )
}

function endpointOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`
}
