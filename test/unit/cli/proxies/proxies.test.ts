/** `sluice proxies test` over proxies and an echo service on loopback. */

import { afterEach, expect, test } from "bun:test"

import { proxiesCommand } from "#cli/proxies.ts"

import { recordIo } from "../../../support/command-io.ts"
import { type SocksProxyBehaviour, startSocksProxy } from "../../../support/socks-proxy.ts"

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function echo(answer = () => new Response("203.0.113.7\n")): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer })
  cleanups.push(() => server.stop(true))
  return server.url.href
}

async function socks(behaviour?: SocksProxyBehaviour): Promise<string> {
  const proxy = await startSocksProxy(behaviour)
  cleanups.push(proxy.stop)
  return proxy.host
}

async function run(args: readonly string[]) {
  const { io, stdout, stderr } = recordIo({ env: { SLUICE_API_KEYS: "one-key" } })
  const exitCode = await proxiesCommand.run(["test", ...args], io)
  return { exitCode, stdout: stdout(), stderr: stderr() }
}

test("a proxy that works is shown without its login, with the address the echo service saw", async () => {
  const host = await socks({ login: { user: "ann", password: "top-secret" } })
  const { exitCode, stdout } = await run(["--echo", echo(), "--proxy-url", `socks5://ann:top-secret@${host}`])
  expect(stdout).toMatch(
    new RegExp(`^works  socks5://${host} \\(proxy-url\\): status 200 in \\d+ ms, exit address 203\\.0\\.113\\.7\\n$`),
  )
  expect(exitCode).toBe(0)
})

test("proxies of the pool are tried too, once each, and one that fails makes the exit code 1", async () => {
  const [host, refusing] = [await socks(), await socks({ login: { user: "ann", password: "another" } })]
  const entry = (id: string, proxy_url: string) => ({ id, token_file: `${id}.json`, proxy_url })
  const pool = [
    entry("one", `socks5h://${host}`),
    entry("two", `socks5h://${host}`),
    entry("three", `socks5h://ann:top-secret@${refusing}`),
    { ...entry("off", "http://127.0.0.1:1"), disabled: true },
  ]
  const url = echo(() => Response.json({ ip: "2001:db8::1" }))
  const { exitCode, stdout } = await run(["--json", "--echo", url, "--credential-pool.codex", JSON.stringify(pool)])
  expect(JSON.parse(stdout)).toEqual([
    {
      address: "direct",
      usedBy: ["proxy-url"],
      works: true,
      status: 200,
      latencyMs: expect.any(Number),
      exitAddress: "2001:db8::1",
    },
    {
      address: `socks5h://${host}`,
      usedBy: ["one", "two"],
      works: true,
      status: 200,
      latencyMs: expect.any(Number),
      exitAddress: "2001:db8::1",
    },
    {
      address: `socks5h://${refusing}`,
      usedBy: ["three"],
      works: false,
      reason: "The SOCKS proxy towards the upstream refused the login.",
      hint: expect.stringContaining("percent-encoded"),
    },
  ])
  expect(stdout).not.toContain("top-secret")
  expect(exitCode).toBe(1)
})

test("without --echo the upstream's origin is asked, and any answer of it counts", async () => {
  const asked: string[] = []
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: request => {
      asked.push(new URL(request.url).pathname)
      return new Response("<html>", { status: 404 })
    },
  })
  cleanups.push(() => server.stop(true))
  const { exitCode, stdout } = await run(["--base-url", `${server.url.href}backend-api/codex`])
  expect(stdout).toMatch(/^works {2}direct \(proxy-url\): status 404 in \d+ ms\n$/)
  expect(asked).toEqual(["/favicon.ico"])
  expect(exitCode).toBe(0)
})

test.each([[["--echo", "ftp://x"]], [["--ehco", "http://x"]], [["extra"]]])("%p is wrong usage", async args => {
  const { exitCode, stderr } = await run(args)
  expect(exitCode).toBe(2)
  expect(stderr).toContain("sluice proxies --help")
})
