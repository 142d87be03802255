/** `/api/admin/accounts/:id/reset-credits`: an account's banked resets, and spending one. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { needsConfirmation } from "#gateway/desk/confirmation.ts"

import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"

const REDEEM = Type.Object({
  confirm: Type.Optional(Type.Boolean()),
  credit_id: Type.Optional(Type.String({ maxLength: 200 })),
  idempotency_key: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  even_if_open: Type.Optional(Type.Boolean()),
})

/** Returns the routes as one Elysia plugin. */
export function resetCreditRoutes(parts: AdminParts) {
  const { resetCredits } = parts.desk.quota
  return new Elysia({ name: "admin-reset-credits", prefix: "/api/admin/accounts" })
    .get("/:id/reset-credits", ({ request, params }) => adminRoute(request, parts, () => resetCredits.list(params.id)))
    .post(
      "/:id/reset-credits",
      ({ request, params }) =>
        adminRoute(request, parts, async () => {
          const { confirm, credit_id, idempotency_key, even_if_open } = await readOrder(request, REDEEM, parts)
          if (confirm !== true) throw needsConfirmation("Spending a reset credit")
          return resetCredits.redeem(params.id, {
            creditId: credit_id,
            idempotencyKey: idempotency_key ?? request.headers.get("idempotency-key") ?? undefined,
            evenIfOpen: even_if_open,
          })
        }),
      { parse: "none" },
    )
}
