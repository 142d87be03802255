/** Takeovers in which one of the two dies, comes twice or is too new: the other one goes on, or says why it cannot. */

import { Database } from "bun:sqlite"
import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import type { JsonObject } from "#core/json.ts"
import { readOwner } from "#store/owner-lock.ts"

import { type FaultGateway, turn, until } from "../../faults/fixture.ts"
import { compiledBinary, launchGateway } from "../../support/binary.ts"
import { ROOT } from "../../support/source-tree.ts"
import { exchangesByToken, hasStopped, loggedRequests, makeStarted, takeOver } from "./fixture.ts"

setDefaultTimeout(90_000)

const { start, stopAll } = makeStarted()
afterEach(stopAll)

/** Starts a successor and does not wait for it. */
function launchSuccessor(gateway: FaultGateway, binary: string) {
  return launchGateway({
    command: [binary, "serve", "--config", join(gateway.folder, "sluice.yaml"), "--takeover"],
    url: gateway.url,
    cwd: gateway.folder,
    env: { HOME: gateway.folder, PATH: "/usr/bin:/bin" },
  })
}

const STEPS = {
  "when it has knocked": (gateway: FaultGateway) => gateway.process().output().includes("another process takes over"),
  "when it has the lock": (gateway: FaultGateway, pid: number) =>
    readOwner(join(gateway.folder, "data")).pid === String(pid),
}

for (const [step, isThere] of Object.entries(STEPS)) {
  test(`a successor that is killed ${step}: the running process goes on as if nothing had happened`, async () => {
    const binary = await compiledBinary()
    for (;;) {
      const gateway = await start()
      gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 1 })
      const stream = gateway.open("/v1/responses", turn({ stream: true }))
      await gateway.control.untilWaiting("middle", 1)
      const successor = launchSuccessor(gateway, binary)
      await until("it has come so far", () => isThere(gateway, successor.pid))
      await successor.kill()
      // Too late: it serves already, and its death is that of any gateway.
      if (gateway.process().output().includes("has taken over")) continue
      await until("the folder is back", () => gateway.process().output().includes("everything goes on as before"))
      gateway.control.release("middle")
      expect(await stream.ended).toBe("whole")
      gateway.control.markAccess("account-1", "expired")
      gateway.control.markAccess("account-2", "expired")
      expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
      expect(exchangesByToken(gateway)).toEqual([1])
      await until("both requests are in the log", () => loggedRequests(gateway) === 2)
      expect(readOwner(join(gateway.folder, "data"))).toMatchObject({
        pid: String(gateway.process().pid),
        url: `${gateway.url}/`,
      })
      const old = await takeOver(gateway)
      await hasStopped(old)
      return
    }
  })
}

/** A successor that is no gateway: says what it is told to, and hears what is answered. */
async function pretend(gateway: FaultGateway, pid = process.pid) {
  const heard: JsonObject[] = []
  const unix = join(gateway.folder, "data", "takeover.sock")
  const socket = await Bun.connect({
    unix,
    socket: {
      data: (_, piece) => {
        for (const line of piece.toString().trim().split("\n")) heard.push(JSON.parse(line))
      },
    },
  })
  socket.write(`${JSON.stringify({ type: "hello", protocol: 1, version: "next", pid })}\n`)
  return { heard, end: () => socket.end() }
}

const has = (one: { readonly heard: readonly JsonObject[] }, type: string) =>
  until(`it says ${type}`, () => one.heard.some(message => message["type"] === type))

test("a second successor at the same time is refused", async () => {
  const gateway = await start()
  const first = await pretend(gateway)
  await has(first, "yours")
  const second = await pretend(gateway)
  await has(second, "refused")
  first.end()
  await until("the folder is back", () => gateway.process().output().includes("everything goes on as before"))
})

test("while the folder is given away, orders of operators wait and model calls do not", async () => {
  const gateway = await start()
  const successor = await pretend(gateway)
  await has(successor, "yours")
  let isAnswered = false
  const order = gateway.post("/api/admin/keys", { name: "late" }, { authorization: "" }).then(answer => {
    isAnswered = true
    return answer
  })
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect((await gateway.get("/health/live")).status).toBe(200)
  expect(isAnswered).toBeFalse()
  successor.end()
  expect((await order).status).toBe(200)
  await until("the request is in the log", () => loggedRequests(gateway) === 1)
})

test("a successor that changed the tables and died: the running process does not write to them, and says why it ends", async () => {
  const gateway = await start()
  const running = gateway.process()
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 1 })
  const stream = gateway.open("/v1/responses", turn({ stream: true }))
  await gateway.control.untilWaiting("middle", 1)
  const successor = await pretend(gateway)
  await has(successor, "told")
  new Database(join(gateway.folder, "data", "core.db")).run("pragma user_version = 999")
  successor.end()
  await until("it says so", () => running.output().includes("cannot be taken back"))
  expect(running.output()).toContain("was written by a newer version")
  gateway.control.release("middle")
  expect(await stream.ended).toBe("whole")
  await hasStopped(running)
  expect(await running.stop()).toBe(1)
})

test("a successor that hangs with the lock is ended, and the folder is taken back from it", async () => {
  const gateway = await start()
  const dataDir = join(gateway.folder, "data")
  const hanging = Bun.spawn([process.execPath, "-e", HOLD_LOCK, dataDir], {
    cwd: ROOT,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  })
  const successor = await pretend(gateway, hanging.pid)
  await has(successor, "told")
  await hanging.stdin.write("now\n")
  await hanging.stdin.flush()
  await until("it has the lock", () => readOwner(dataDir).pid === String(hanging.pid))
  successor.end()
  await until("the folder is back", () => gateway.process().output().includes("everything goes on as before"), 10_000)
  await hanging.exited
  expect(hanging.signalCode).toBe("SIGKILL")
  expect(readOwner(dataDir).pid).toBe(String(gateway.process().pid))
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
})

/** Takes the lock when it is told to, and lets it go never. */
const HOLD_LOCK = `
import { takeOwnerLock } from "#store/owner-lock.ts"
for await (const _ of console) {
  globalThis.lock = takeOwnerLock(process.argv[1], process.pid)
  break
}
setInterval(() => {}, 60_000)
`

test("an exchange of tokens that is under way ends before anything is handed over, and its token is the new one's", async () => {
  const gateway = await start({ accounts: 1 })
  gateway.control.setSignIn("account-1", { answerDelayMs: 1_500 })
  const refreshed = gateway.post("/refresh", {})
  await until("an exchange is under way", () => gateway.control.tokenStates().openExchanges === 1)
  const old = await takeOver(gateway)
  expect((await refreshed).text).toContain('"status":"refreshed"')
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  gateway.control.setSignIn("account-1", { answerDelayMs: 0 })
  expect((await gateway.post("/refresh", {})).status).toBe(200)
  expect(exchangesByToken(gateway)).toEqual([1, 1])
  await hasStopped(old)
})

test("a running process that dies before it has handed over: the successor starts as if nobody had been there", async () => {
  const gateway = await start()
  const running = gateway.process()
  gateway.control.setSignIn("account-1", { answerDelayMs: 10_000 })
  const refreshed = gateway.post("/refresh", {}).catch(() => "cut")
  await until("an exchange is under way", () => gateway.control.tokenStates().openExchanges > 0)
  const replaced = takeOver(gateway)
  await until("it has knocked", () => STEPS["when it has knocked"](gateway))
  process.kill(running.pid, "SIGKILL")
  await replaced
  expect(await refreshed).toBe("cut")
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(readOwner(join(gateway.folder, "data")).pid).toBe(String(gateway.process().pid))
})

test("a successor that dies when it is the gateway: the old process clears the ports and still finishes its answers", async () => {
  const gateway = await start()
  gateway.control.script({ scenario: "text", settings: { hold: "middle", holdAfterEvents: 6 }, times: 1 })
  const stream = gateway.open("/v1/responses", turn({ stream: true }))
  await gateway.control.untilWaiting("middle", 1)
  const old = await takeOver(gateway)
  process.kill(gateway.process().pid, "SIGKILL")
  const starts = () =>
    gateway.startAgain().then(
      () => true,
      () => false,
    )
  await until("another one can start", starts, 10_000)
  expect(old.output()).toContain("the process that has taken over has ended")
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  gateway.control.release("middle")
  expect(await stream.ended).toBe("whole")
  expect(stream.text()).toContain("response.completed")
  await hasStopped(old)
  expect(await old.stop()).toBe(0)
})
