/** Client keys as icebear0828/codex-proxy has them: `/admin/client-keys`, and what a key is told about itself. */

import { Type } from "@sinclair/typebox"
import { Elysia } from "elysia"

import { GatewayError } from "#core/errors.ts"
import type { KeyOrder } from "#gateway/desk/key-order.ts"
import type { KeyReport } from "#gateway/desk/key-report.ts"
import type { KeyDesk } from "#gateway/desk/keys.ts"
import type { KeyLimits } from "#gateway/keys/key-policy.ts"
import { type AdminParts, readOrder } from "#http/admin/admin-route.ts"

import { adapterRoute, FLAT_FAILURE } from "./adapter-route.ts"

const maybe = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Optional(Type.Union([schema, Type.Null()]))

const LIMITS = {
  expires_at: maybe(Type.String()),
  max_budget_usd: maybe(Type.Number({ exclusiveMinimum: 0 })),
  max_tokens: maybe(Type.Integer({ minimum: 1 })),
  max_concurrency: maybe(Type.Integer({ minimum: 1 })),
  allowed_models: maybe(Type.Array(Type.String({ minLength: 1 }))),
}

const CREATE = Type.Object({ name: Type.String({ minLength: 1 }), key: maybe(Type.String()), ...LIMITS })
const CHANGE = Type.Object({
  name: Type.Optional(Type.String({ minLength: 1 })),
  status: Type.Optional(Type.Union([Type.Literal("active"), Type.Literal("disabled")])),
  ...LIMITS,
})

type Change = typeof CHANGE.static

/** Returns the routes as one Elysia plugin. */
export function icebearKeyRoutes(parts: AdminParts) {
  const shape = FLAT_FAILURE
  const { keys } = parts.desk
  return new Elysia({ name: "icebear-keys", prefix: "/admin/client-keys" })
    .get("", ({ request }) => adapterRoute({ request, shape }, parts, () => listKeys(keys)))
    .post(
      "",
      ({ request }) =>
        adapterRoute({ request, shape }, parts, async () => {
          const { name, key: text, ...rest } = await readOrder(request, CREATE, parts)
          const wanted = text === undefined || text === null || text.trim() === "" ? undefined : text.trim()
          const { key, report } = keys.create({ ...orderOf(rest, null), name: name.trim() }, wanted)
          return { success: true, key: { ...icebearKey(report), key } }
        }),
      { parse: "none" },
    )
    .put(
      "/:id",
      ({ request, params }) =>
        adapterRoute({ request, shape }, parts, async () => {
          const order = orderOf(await readOrder(request, CHANGE, parts), keys.show(params.id).limits)
          return { success: true, key: icebearKey(keys.change(params.id, order)) }
        }),
      { parse: "none" },
    )
    .delete("/:id", ({ request, params }) =>
      adapterRoute({ request, shape }, parts, () => {
        keys.remove(params.id)
        return { success: true }
      }),
    )
    .post("/:id/toggle", ({ request, params }) =>
      adapterRoute({ request, shape }, parts, () => {
        const enabled = !keys.show(params.id).enabled
        return { success: true, key: icebearKey(keys.change(params.id, { enabled })) }
      }),
    )
    .post("/:id/reset-usage", ({ request, params }) =>
      adapterRoute({ request, shape }, parts, () => ({ success: true, key: icebearKey(keys.resetUsage(params.id)) })),
    )
}

/** What a key may know of itself, as `GET /v1/sub-key/info` tells it. Throws `not-found` for keys of the configuration. */
export function subKeyInfo(report: KeyReport | undefined): object {
  if (report === undefined) {
    throw new GatewayError("not-found", "This key stands in the configuration and has no limits.", {
      code: "key_not_stored",
    })
  }
  const shown = icebearKey(report)
  const left = (max: number | null, used: number) => (max === null ? null : Math.max(0, max - used))
  return {
    name: shown.name,
    status: shown.status,
    expires_at: shown.expires_at,
    max_budget_usd: shown.max_budget_usd,
    used_cost_usd: shown.used_cost_usd,
    remaining_budget_usd: left(shown.max_budget_usd, shown.used_cost_usd),
    max_tokens: shown.max_tokens,
    used_tokens: shown.used_tokens,
    remaining_tokens: left(shown.max_tokens, shown.used_tokens),
    allowed_models: shown.allowed_models,
    request_count: shown.request_count,
    last_used_at: shown.last_used_at,
    // Ours: limits that system does not have.
    limits: report.standing,
  }
}

function listKeys(keys: KeyDesk): object {
  const all = keys.list().map(icebearKey)
  return {
    keys: all,
    total: all.length,
    active: all.filter(one => one.status === "active").length,
    total_cost_usd: all.reduce((sum, one) => sum + one.used_cost_usd, 0),
    total_requests: all.reduce((sum, one) => sum + one.request_count, 0),
  }
}

/** A key as its list shows it. One that has expired is "active" there until somebody disables it. */
function icebearKey(report: KeyReport) {
  const { limits, usage } = report
  return {
    id: report.id,
    name: report.name,
    key_masked: `${report.prefix}••••••••`,
    status: report.enabled ? "active" : "disabled",
    expires_at: report.expires_at,
    max_budget_usd: limits?.total?.cost_usd ?? null,
    used_cost_usd: usage.total.cost_usd,
    max_tokens: limits?.total?.tokens ?? null,
    used_tokens: usage.total.tokens,
    max_concurrency: limits?.concurrency ?? null,
    allowed_models: report.models?.allow ?? null,
    request_count: usage.total.requests,
    last_used_at: report.last_used_at,
    created_at: report.created_at,
    updated_at: report.updated_at,
  }
}

/** Its limits in our words; what that system does not know of a key stays as it is. */
function orderOf(change: Change, before: KeyLimits | null): KeyOrder {
  const { name, status, expires_at: expiresAt, allowed_models: models } = change
  return {
    ...(name !== undefined && { name: name.trim() }),
    ...(status !== undefined && { enabled: status === "active" }),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(models !== undefined && { models: models === null || models.length === 0 ? null : { allow: models } }),
    limits: limitsOf(change, before ?? {}),
  }
}

function limitsOf(change: Change, before: KeyLimits): KeyLimits {
  const { total: totalBefore = {}, concurrency: concurrencyBefore, ...others } = before
  const cost = pick(change.max_budget_usd, totalBefore.cost_usd)
  const tokens = pick(change.max_tokens, totalBefore.tokens)
  const concurrency = pick(change.max_concurrency, concurrencyBefore)
  const { cost_usd: _cost, tokens: _tokens, ...totalOthers } = totalBefore
  const total = {
    ...totalOthers,
    ...(cost !== undefined && { cost_usd: cost }),
    ...(tokens !== undefined && { tokens }),
  }
  return {
    ...others,
    ...(Object.keys(total).length > 0 && { total }),
    ...(concurrency !== undefined && { concurrency }),
  }
}

/** Absent = stays, null = none. */
function pick(wanted: number | null | undefined, before: number | undefined): number | undefined {
  return wanted === undefined ? before : (wanted ?? undefined)
}
