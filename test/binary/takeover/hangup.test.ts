/** A hang-up signal: the binary at the process's path takes over, where the service manager can follow. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { readOwner } from "#store/owner-lock.ts"

import { turn, until } from "../../faults/fixture.ts"
import { makeStarted } from "./fixture.ts"

setDefaultTimeout(90_000)

const { start, stopAll } = makeStarted()
afterEach(stopAll)

test("a hang-up replaces the process with the binary at its path, and the service manager is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-notify-"))
  const socket = join(folder, "notify.sock")
  const listener = Bun.spawn(["python3", "-c", LISTEN, socket], { stdout: "pipe", stdin: "ignore" })
  await until("it listens", () => existsSync(socket))
  const gateway = await start({ env: { NOTIFY_SOCKET: socket } })
  const first = gateway.process()
  process.kill(first.pid, "SIGHUP")
  await until("it is replaced", () => first.output().includes("has taken over"), 10_000)
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  const { pid } = readOwner(join(gateway.folder, "data"))
  expect(pid).not.toBe(String(first.pid))
  expect((await new Response(listener.stdout).text()).trim()).toBe(`MAINPID=${pid}`)
  // The new one writes to the same log; it ends by the signal as any other.
  process.kill(Number(pid), "SIGTERM")
  expect(await first.stop()).toBe(0)
  rmSync(folder, { recursive: true })
})

const LISTEN = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(receiver.recv(4096).decode())
`

test("a hang-up of a service whose manager cannot be told only reads the configuration again", async () => {
  const gateway = await start({ env: { INVOCATION_ID: "00000000000000000000000000000000" } })
  const running = gateway.process()
  process.kill(running.pid, "SIGHUP")
  await until("it says so", () => running.output().includes("nothing is replaced"))
  expect((await gateway.get("/health/live")).status).toBe(200)
})
