/** A gateway elsewhere that misbehaves: whatever answers, the command ends and says what to do. */

import { afterEach, expect, test } from "bun:test"

import { makeAdminClient } from "#cli/admin/admin-client.ts"
import { reachableUrl, remoteGateway } from "#cli/admin/remote-gateway.ts"
import { systemTimers, type Timers } from "#core/clock.ts"

import { makeHome } from "../accounts/accounts-world.ts"

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** Starts a server that answers `GET /api/admin` properly and everything else with `answer`. */
function serve(
  answer: (request: Request) => Response | Promise<Response>,
  greeting: object = { version: "0.1.0-dev" },
) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: request =>
      new URL(request.url).pathname === "/api/admin"
        ? Response.json({ service: "sluice", accounts: 0, archived: 0, ...greeting })
        : answer(request),
  })
  stops.push(() => server.stop(true))
  return server.url.href
}

function homeAt(url: string, ...settings: readonly string[]) {
  const home = makeHome(["--gateway", url, ...settings])
  stops.push(home.remove)
  return home
}

/** Timers whose delays are all over at once, so that silence is noticed without waiting. */
const IMPATIENT: Timers = { ...systemTimers, after: (_, run) => systemTimers.after(20, run) }

function clientAt(url: string, signal = new AbortController().signal) {
  return makeAdminClient(remoteGateway({ url: new URL(url), adminKey: "key", timers: IMPATIENT }), signal)
}

const hang = () => new Promise<Response>(() => {})

test("nobody there: it is said within a moment, with the address", async () => {
  const { exitCode, stderr } = await homeAt("http://127.0.0.1:1").run(["list"])
  expect(exitCode).toBe(1)
  expect(stderr).toContain("The gateway at http://127.0.0.1:1 cannot be reached (ECONNREFUSED).\n  Is it running")
})

test("a gateway that never answers is given up", async () => {
  await expect(clientAt(serve(hang)).list(new URLSearchParams())).rejects.toMatchObject({
    kind: "timeout",
    message: expect.stringContaining("has said nothing for 120 seconds"),
  })
})

test("a gateway that falls silent in the middle of its answer is given up", async () => {
  const silent = () => new Response(new ReadableStream({ start: controller => controller.enqueue("[") }))
  await expect(clientAt(serve(silent)).list(new URLSearchParams())).rejects.toMatchObject({ kind: "timeout" })
})

test("Ctrl-C ends the wait for an answer", async () => {
  const stop = new AbortController()
  const asked = Promise.withResolvers<void>()
  const url = serve(() => {
    asked.resolve()
    return hang()
  })
  const patient = makeAdminClient(remoteGateway({ url: new URL(url), adminKey: "", timers: systemTimers }), stop.signal)
  const waiting = patient.list(new URLSearchParams())
  await asked.promise
  stop.abort("SIGINT")
  await expect(waiting).rejects.toMatchObject({ kind: "cancelled" })
})

test.each([
  ["an HTML page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  ["another program's error", () => Response.json({ error: { message: "no", type: "x" } }, { status: 404 })],
  ["a redirect, which a key must not follow", () => Response.redirect("http://127.0.0.1:1/")],
])("%s is no operators' surface", async (_, answer) => {
  const { exitCode, stderr } = await homeAt(serve(answer)).run(["list"])
  expect(exitCode).toBe(1)
  expect(stderr).toContain("has no operators' surface.\n  It is another program, a proxy")
})

test("an answer of another version is named as such, not taken apart", async () => {
  const home = homeAt(serve(() => Response.json({ items: [] }), { version: "9.9.9" }))
  const { exitCode, stderr } = await home.run(["list"])
  expect(exitCode).toBe(1)
  expect(stderr).toContain("is of version 9.9.9, this command of version 0.1.0-dev")
  expect(stderr).toContain("answered something this version does not know.")
})

test("progress that breaks off before the end is a failure, and what was told before is shown", async () => {
  const step = { done: 1, total: 2, account: "acc_1", label: "an***", status: "ok", latency_ms: 3 }
  const url = serve(() => new Response(`event: progress\ndata: ${JSON.stringify(step)}\n\n`))
  const { exitCode, stdout, stderr } = await homeAt(url).run(["test", "--all"])
  expect([exitCode, stdout]).toEqual([1, "1/2 acc_1 an***: ok, 3 ms\n"])
  expect(stderr).toContain("broke off before the end.")
})

test("a failure in the middle of progress is told with its hint", async () => {
  const error = { message: "The disk is full.", kind: "internal", code: null, hint: "Make room." }
  const url = serve(() => new Response(`event: error\ndata: ${JSON.stringify({ error })}\n\n`))
  const { exitCode, stderr } = await homeAt(url).run(["refresh", "--all"])
  expect([exitCode, stderr]).toEqual([1, "sluice accounts: The disk is full.\n  Make room.\n"])
})

test("the admin key goes along, to the path the gateway stands below, and not through a proxy of the environment", async () => {
  const seen: (string | null)[] = []
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url, headers }) => {
      seen.push(new URL(url).pathname, headers.get("x-admin-key"))
      return Response.json({
        service: "sluice",
        version: "0.1.0-dev",
        accounts: [],
        trouble: { broken: [], duplicates: [] },
      })
    },
  })
  stops.push(() => server.stop(true))
  process.env["HTTP_PROXY"] = "http://127.0.0.1:1"
  try {
    const { exitCode } = await homeAt(`${server.url.href}sluice/`, "--admin-key", "the-key").run(["list"])
    expect(exitCode).toBe(0)
  } finally {
    delete process.env["HTTP_PROXY"]
  }
  expect(seen).toEqual(["/sluice/api/admin", "the-key", "/sluice/api/admin/accounts", "the-key"])
})

test("an address that is none is wrong, one that others can read along is warned of", async () => {
  expect((await homeAt("sluice").run(["list"])).stderr).toContain("--gateway: expected an http or https address.")
  expect((await homeAt("http://0.0.0.0:1").run(["list"])).stderr).toContain("is not encrypted")
})

test.each([
  ["http://0.0.0.0:8080/", "http://127.0.0.1:8080/"],
  ["http://[::]:8080/", "http://[::1]:8080/"],
  ["http://192.168.1.5:8080/", "http://192.168.1.5:8080/"],
])("a gateway that announces %s is asked at %s", (announced, asked) => {
  expect(reachableUrl(announced)?.href).toBe(asked)
})
