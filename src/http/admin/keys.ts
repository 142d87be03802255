/** `/api/admin/keys`: the stored client keys. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { needsConfirmation } from "#gateway/desk/confirmation.ts"
import type { Desk } from "#gateway/desk/desk.ts"
import type { KeyDesk, NewKey } from "#gateway/desk/keys.ts"
import { POLICY } from "#gateway/keys/key-policy.ts"
import { codex2apiKey, orderOfCodex2api } from "#http/adapters/codex2api-keys.ts"

import { type AdminParts, adminRoute, readOrder } from "./admin-route.ts"

const TEXT = Type.String({ minLength: 1, maxLength: 200 })
const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]))

const FACTS = {
  owner: orNull(TEXT),
  note: orNull(Type.String({ maxLength: 2_000 })),
  enabled: Type.Optional(Type.Boolean()),
  expires_at: orNull(Type.String()),
  /** Ten years at most. */
  expires_after_first_use_sec: orNull(Type.Integer({ minimum: 1, maximum: 315_360_000 })),
  models: orNull(POLICY.properties.models),
  tags: orNull(POLICY.properties.tags),
  plans: orNull(POLICY.properties.plans),
  addresses: orNull(POLICY.properties.addresses),
  limits: orNull(POLICY.properties.limits),
}

const KEY_TEXT = Type.Optional(Type.String({ maxLength: 500 }))
const CREATE = Type.Object({ name: TEXT, key: KEY_TEXT, ...FACTS }, { additionalProperties: false })
const CHANGE = Type.Object({ name: Type.Optional(TEXT), ...FACTS }, { additionalProperties: false })
const ROTATE = Type.Object({ key: KEY_TEXT }, { additionalProperties: false })
const DELETE = Type.Object({ confirm: Type.Optional(Type.Boolean()) })

/** Returns the routes as one Elysia plugin. */
export function keyRoutes(parts: AdminParts) {
  const { keys } = parts.desk
  return (
    new Elysia({ name: "admin-keys", prefix: "/api/admin/keys" })
      .get("", ({ request }) => adminRoute(request, parts, url => listKeys(keys, url)))
      .post("", ({ request }) =>
        adminRoute(request, parts, async () => {
          const { key, ...order } = await readOrder(request, CREATE, parts, body => orderOfCodex2api(body, null))
          return shownOnce(keys.create(order, key))
        }),
      )
      .get("/:id", ({ request, params }) => adminRoute(request, parts, () => keys.show(params.id)))
      .patch("/:id", ({ request, params }) =>
        adminRoute(request, parts, async () => {
          const { limits } = keys.show(params.id)
          return keys.change(params.id, await readOrder(request, CHANGE, parts, body => orderOfCodex2api(body, limits)))
        }),
      )
      .delete("/:id", ({ request, params }) =>
        adminRoute(request, parts, async url => {
          const confirm =
            url.searchParams.get("confirm") === "true" || (await readOrder(request, DELETE, parts)).confirm
          if (confirm !== true) throw needsConfirmation("Deleting a client key")
          return { deleted: keys.remove(params.id).id }
        }),
      )
      .post("/:id/rotate", ({ request, params }) =>
        adminRoute(request, parts, async () => {
          const { key } = await readOrder(request, ROTATE, parts)
          return shownOnce(keys.rotate(params.id, key))
        }),
      )
      .get("/:id/usage", ({ request, params }) => adminRoute(request, parts, () => usageOf(keys, params.id)))
      // As codex2api calls it.
      .post("/:id/reset-quota", ({ request, params }) => adminRoute(request, parts, () => keys.resetUsage(params.id)))
      .post("/:id/reset-usage", ({ request, params }) => adminRoute(request, parts, () => keys.resetUsage(params.id)))
  )
}

function listKeys(keys: Desk["keys"], { searchParams }: URL): unknown {
  const reports = keys.list()
  const all = searchParams.get("shape") === "codex2api" ? reports.map(codex2apiKey) : reports
  return { total: all.length, keys: all, damaged: keys.damaged() }
}

/** The text stands beside what is known of the key, and in no other answer. */
function shownOnce({ key, report }: NewKey): unknown {
  return { ...report, key }
}

function usageOf(keys: KeyDesk, target: string): unknown {
  const { id, name, usage, standing, running, waiting, last_used_at } = keys.show(target)
  return { id, name, running, waiting, last_used_at, usage, limits: standing }
}
