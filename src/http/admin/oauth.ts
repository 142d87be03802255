/** `/api/admin/oauth`: sign ChatGPT accounts in through a browser elsewhere or by a device code. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"

const LOGIN = Type.Object({ login_id: Type.String() })
const FINISH = Type.Object({ login_id: Type.String(), callback: Type.String({ maxLength: 16_384 }) })

/** Returns the routes as one Elysia plugin. */
export function oauthRoutes(parts: AdminParts) {
  const { signIns } = parts.desk
  return new Elysia({ name: "admin-oauth", prefix: "/api/admin/oauth" })
    .post("/start", ({ request }) => adminRoute(request, parts, () => signIns.start()), { parse: "none" })
    .post(
      "/finish",
      ({ request }) =>
        adminRoute(request, parts, async () => {
          const { login_id, callback } = await readOrder(request, FINISH, parts)
          return signIns.finish(login_id, callback)
        }),
      { parse: "none" },
    )
    .post("/device/start", ({ request }) => adminRoute(request, parts, () => signIns.startDevice()), { parse: "none" })
    .post(
      "/device/poll",
      ({ request }) =>
        adminRoute(request, parts, async () => signIns.pollDevice((await readOrder(request, LOGIN, parts)).login_id)),
      { parse: "none" },
    )
    .delete("/:id", ({ request, params }) =>
      adminRoute(request, parts, () => {
        signIns.cancel(params.id)
        return { cancelled: true }
      }),
    )
}
