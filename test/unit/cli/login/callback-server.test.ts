/** The server that waits for the browser, on ports that are free or become so. */

import { afterEach, expect, test } from "bun:test"

import { type CallbackHandlers, LOGIN_PORTS, startCallbackServer } from "#cli/login/callback-server.ts"

import { freePort } from "../../../support/binary.ts"

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const HANDLERS: CallbackHandlers = { onCallback: async address => new Response(address), onCancel: () => {} }

async function start(ports: readonly number[]) {
  const server = await startCallbackServer({ ports, signal: new AbortController().signal }, HANDLERS)
  cleanups.push(server.stop)
  return server
}

test("the ports are those the sign-in service knows", () => {
  expect(LOGIN_PORTS).toEqual([1455, 1457])
})

test("a first port that another program keeps leads to the second one", async () => {
  const asked: string[] = []
  const fetch = (request: Request) => {
    asked.push(new URL(request.url).pathname)
    return new Response("not a sign-in")
  }
  const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch })
  cleanups.push(() => other.stop(true))
  const second = freePort()
  const server = await start([other.port ?? 0, second])
  expect(server.redirectUri).toBe(`http://localhost:${second}/auth/callback`)
  expect(asked).toEqual(["/cancel"])
})

test("the page may keep nothing, run nothing and tell nobody its address", async () => {
  const { redirectUri } = await start([0])
  const page = await fetch(redirectUri.replace("localhost", "127.0.0.1").replace("/auth/callback", "/elsewhere"))
  expect(page.status).toBe(404)
  expect(page.headers.get("cache-control")).toBe("no-store")
  expect(page.headers.get("content-security-policy")).toStartWith("default-src 'none'")
  expect(page.headers.get("referrer-policy")).toBe("no-referrer")
})

test("only visits count, not what a page may post here", async () => {
  const { redirectUri } = await start([0])
  const page = await fetch(redirectUri.replace("localhost", "127.0.0.1"), { method: "POST" })
  expect(page.status).toBe(405)
})
