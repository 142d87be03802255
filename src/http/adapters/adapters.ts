/** Routes of the systems that Sluice replaces, so that people's scripts keep working. */

import { Elysia } from "elysia"

import type { Clock } from "#core/clock.ts"
import type { AdminParts } from "#http/admin/admin-route.ts"

import { codex2apiRoutes } from "./codex2api.ts"
import { codex2apiProxyRoutes } from "./codex2api-proxies.ts"
import { dvcrnRoutes } from "./dvcrn.ts"
import { icebearRoutes } from "./icebear.ts"
import { icebearKeyRoutes } from "./icebear-keys.ts"
import { icebearOllamaRoutes } from "./icebear-ollama.ts"
import { icebearProxyRoutes } from "./icebear-proxies.ts"
import { xxxteamRoutes } from "./xxxteam.ts"

/** Returns all of them as one Elysia plugin. */
export function adapterRoutes(parts: AdminParts, clock: Clock) {
  return new Elysia({ name: "adapters" })
    .use(codex2apiRoutes(parts))
    .use(codex2apiProxyRoutes(parts))
    .use(dvcrnRoutes(parts, clock))
    .use(icebearRoutes(parts))
    .use(icebearOllamaRoutes(parts))
    .use(icebearKeyRoutes(parts))
    .use(icebearProxyRoutes(parts))
    .use(xxxteamRoutes(parts, clock))
}
