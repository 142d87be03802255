/** What is kept of the past: requests, usage, accounts' events and readings; and the database as a file. */

import { Elysia } from "elysia"

import { type AdminParts, adminRoute } from "./admin-route.ts"
import { readChoice, readCount, readTime } from "./read-query.ts"

const MAX_PAGE = 1_000
const PAGE = 50
const READINGS_MS = 7 * 86_400_000

/** Returns the routes as one Elysia plugin. */
export function requestRoutes(parts: AdminParts) {
  const { records } = parts.desk
  return new Elysia({ name: "admin-requests", prefix: "/api/admin" })
    .get("/requests", ({ request }) =>
      adminRoute(request, parts, ({ searchParams: query }) =>
        records.list({
          key: query.get("key") ?? undefined,
          account: query.get("account") ?? undefined,
          model: query.get("model") ?? undefined,
          failed: query.get("failed") === "true",
          sinceMs: readTime(query, "since", records.now()),
          before: query.get("before") ?? undefined,
          limit: readCount(query, "limit", { otherwise: PAGE, most: MAX_PAGE }),
        }),
      ),
    )
    .get("/requests/:id", ({ request, params }) => adminRoute(request, parts, () => records.show(params.id)))
    .get("/accounts/:id/events", ({ request, params }) =>
      adminRoute(request, parts, ({ searchParams: query }) => ({
        events: records.events(params.id, readCount(query, "limit", { otherwise: PAGE, most: MAX_PAGE })),
      })),
    )
    .get("/accounts/:id/quota/readings", ({ request, params }) =>
      adminRoute(request, parts, ({ searchParams: query }) => {
        const nowMs = records.now()
        return { readings: records.readings(params.id, readTime(query, "since", nowMs) ?? nowMs - READINGS_MS) }
      }),
    )
    .post("/backup", ({ request }) => adminRoute(request, parts, () => backUp(parts)))
    .get("/usage", ({ request }) =>
      adminRoute(request, parts, ({ searchParams: query }) =>
        records.usage({
          by: readChoice(query, "by", ["key", "account", "model"]),
          grain: readChoice(query, "grain", ["day", "hour"]),
          sinceMs: readTime(query, "since", records.now()),
          untilMs: readTime(query, "until", records.now()),
          only: query.get("only") ?? undefined,
        }),
      ),
    )
}

/** The file as it comes from the disk; its name is for browsers and `curl -OJ`. */
async function backUp({ desk }: AdminParts): Promise<Response> {
  const { totalBytes, body } = await desk.records.backUp()
  return new Response(body, {
    headers: {
      "content-type": "application/vnd.sqlite3",
      "content-length": String(totalBytes),
      "content-disposition": 'attachment; filename="sluice-backup.db"',
      "cache-control": "no-store",
    },
  })
}
