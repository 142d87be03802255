/** The operators' surface under `/api/admin`: on a server, or called by a command of this process. */

import { Elysia } from "elysia"

import { accountRoutes } from "./accounts.ts"
import { addRoutes } from "./add.ts"
import { type AdminParts, adminRoute } from "./admin-route.ts"
import { compileSurface } from "./compile-surface.ts"
import { cookieRoutes } from "./cookies.ts"
import { intakeRoutes } from "./intake.ts"
import { keyRoutes } from "./keys.ts"
import { oauthRoutes } from "./oauth.ts"
import { ollamaStatusRoutes } from "./ollama.ts"
import { proxyRoutes } from "./proxies.ts"
import { quotaRoutes } from "./quota.ts"
import { requestRoutes } from "./requests.ts"
import { resetCreditRoutes } from "./reset-credits.ts"

/** What `GET /api/admin` answers: whoever gets it has the right address and the right key. */
export type AdminGreeting = {
  readonly service: "sluice"
  readonly version: string
  readonly accounts: number
  readonly archived: number
}

/** Returns every route of the surface as one Elysia plugin. */
export function adminRoutes(parts: AdminParts) {
  const greeting = (): AdminGreeting => ({ service: "sluice", version: parts.version, ...parts.desk.count() })
  return new Elysia({ name: "admin" })
    .get("/api/admin", ({ request }) => adminRoute(request, parts, greeting))
    .use(intakeRoutes(parts))
    .use(oauthRoutes(parts))
    .use(cookieRoutes(parts))
    .use(quotaRoutes(parts))
    .use(ollamaStatusRoutes(parts))
    .use(keyRoutes(parts))
    .use(resetCreditRoutes(parts))
    .use(proxyRoutes(parts))
    .use(requestRoutes(parts))
    .use(addRoutes(parts))
    .use(accountRoutes(parts))
}

/** What the surface needs when no server stands in front of it. */
export type LocalAdminParts = Pick<AdminParts, "desk" | "timers" | "version" | "ollamaStatus">

/** The same routes without a socket: whoever can call the function may use them. */
export function makeLocalAdmin(parts: LocalAdminParts): (request: Request) => Promise<Response> {
  const open = { admit: () => {} }
  const routes = adminRoutes({
    ...parts,
    admission: () => open,
    hasClientKey: () => false,
    peerOf: () => undefined,
    bodyTimeoutMs: () => 0,
  })
  return compileSurface(routes)
}
