/** A disk that is full or read-only while tokens rotate: the gateway serves on, keeps the token, and stores it when it can. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"

import { arrayAt, isJsonObject, stringAt } from "#core/json.ts"
import type { SimulatorControl } from "#simulator/control.ts"

import { canMount, mountSmallDisk, type SmallDisk } from "../support/small-disk.ts"
import { type FaultGateway, startFaultGateway, turn, until, writeAccount } from "./fixture.ts"

setDefaultTimeout(30_000)

const mountingTest = test.skipIf(!canMount())

const MEGABYTE = 1024 * 1024

type Setup = { readonly gateway: FaultGateway; readonly data: SmallDisk; readonly auths: SmallDisk }

const gateways: FaultGateway[] = []
const mounted: SmallDisk[] = []

/** Two accounts, with `data/` and `auths/` on small disks of their own. */
async function start(): Promise<Setup> {
  const mount = (path: string, sizeBytes: number): SmallDisk => {
    const disk = mountSmallDisk(path, sizeBytes)
    mounted.push(disk)
    return disk
  }
  const prepare = async (folder: string, control: SimulatorControl) => {
    mount(join(folder, "data"), 2 * MEGABYTE)
    mount(join(folder, "auths"), MEGABYTE)
    for (const { name } of control.accounts()) await writeAccount(folder, control, name)
  }
  const gateway = await startFaultGateway({ accounts: 2, prepare })
  gateways.push(gateway)
  const [data, auths] = mounted
  if (data === undefined || auths === undefined) throw new Error("nothing was mounted")
  return { gateway, data, auths }
}

afterEach(async () => {
  const [gateway] = gateways.splice(0)
  const disks = mounted.splice(0)
  await gateway?.process().stop()
  for (const disk of disks) disk.unmount()
  await gateway?.stop()
})

const fileToken = (gateway: FaultGateway, name: string): unknown =>
  JSON.parse(readFileSync(join(gateway.folder, "auths", `${name}.json`), "utf8")).refresh_token

const serverToken = (gateway: FaultGateway, name: string) => gateway.control.accountFile(name).refresh_token

const says = (gateway: FaultGateway, text: string) => gateway.process().output().includes(text)

const serve = async (gateway: FaultGateway) => (await gateway.post("/v1/responses", turn())).status

async function refreshAll(gateway: FaultGateway): Promise<readonly (string | undefined)[]> {
  const reports = arrayAt((await gateway.post("/refresh", "")).json(), "accounts") ?? []
  return reports.filter(isJsonObject).map(report => stringAt(report, "error") ?? stringAt(report, "status"))
}

/** Starts in vain; what was said. */
function refusedStart(gateway: FaultGateway): Promise<string> {
  return gateway.startAgain().then(
    () => "it started",
    (error: Error) => error.message,
  )
}

/** Fills both disks while the exchange of one account is under way; returns that account's name. */
async function rotateOntoFullDisks({ gateway, data, auths }: Setup): Promise<string> {
  gateway.control.script({ endpoint: "token", settings: { hold: "rotation", holdAfterEvents: -1 }, times: 1 })
  for (const { name } of gateway.control.accounts()) gateway.control.markAccess(name, "expired")
  // Meets 401; the answer is waited for in vain when the process is killed before.
  void gateway.post("/v1/responses", turn()).catch(() => undefined)
  await gateway.control.untilWaiting("rotation", 1)
  data.fill()
  auths.fill()
  gateway.control.release("rotation")
  await until("it is told", () => says(gateway, "a rotated credential could not be stored"))
  expect(gateway.process().output()).toContain('"journalled":true')
  const [rotated] = gateway.control
    .accounts()
    .filter(({ name }) => fileToken(gateway, name) !== serverToken(gateway, name))
  return rotated?.name ?? expect.unreachable()
}

mountingTest(
  "fault 27: a full disk at the commit: it serves on, starts no other exchange, and stores the pair once there is room",
  async () => {
    const setup = await start()
    const { gateway, data, auths } = setup
    const name = await rotateOntoFullDisks(setup)
    const exchanges = gateway.control.recorded({ path: "/oauth/token" }).length
    // The other account's token is refused as well; whoever meets that is served by the first.
    for (let index = 0; index < 6; index += 1) expect(await serve(gateway)).toBe(200)
    expect(await refreshAll(gateway)).toEqual(["storage", "storage"])
    expect(gateway.control.recorded({ path: "/oauth/token" })).toHaveLength(exchanges)
    data.free()
    auths.free()
    await until("everything is stored", () => says(gateway, "all credentials are stored again"))
    expect(fileToken(gateway, name)).toBe(serverToken(gateway, name))
    expect(await refreshAll(gateway)).toEqual(["refreshed", "refreshed"])
  },
)

mountingTest("fault 27: killed on a full disk, the next start has the pair from the journal", async () => {
  const setup = await start()
  const { gateway, data, auths } = setup
  const name = await rotateOntoFullDisks(setup)
  process.kill(gateway.process().pid, "SIGKILL")
  await gateway.process().stop()
  // Without room it does not start, says so in a line with a hint, and loses nothing by trying.
  const refusal = await refusedStart(gateway)
  expect(refusal).toMatch(/^sluice serve: .*(full|SQLITE_FULL|ENOSPC).*\n {2}Make room/m)
  expect(refusal).not.toMatch(/SQLiteError|^\s+at /m)
  data.free()
  auths.free()
  await gateway.startAgain()
  await until("the file is brought up to date", () => fileToken(gateway, name) === serverToken(gateway, name))
  expect(await refreshAll(gateway)).toEqual(["refreshed", "refreshed"])
})

mountingTest(
  "fault 27: stopped in order on a full disk, it ends with code 0 and the next start has the pair",
  async () => {
    const setup = await start()
    const { gateway, data, auths } = setup
    const name = await rotateOntoFullDisks(setup)
    expect(await gateway.process().stop()).toBe(0)
    expect(says(gateway, "SQLiteError")).toBe(false)
    data.free()
    auths.free()
    await gateway.startAgain()
    await until("the file is brought up to date", () => fileToken(gateway, name) === serverToken(gateway, name))
    expect(await refreshAll(gateway)).toEqual(["refreshed", "refreshed"])
  },
)

mountingTest("a disk that is full before an exchange begins: none is made, and the accounts serve on", async () => {
  const { gateway, data, auths } = await start()
  data.fill()
  expect(await refreshAll(gateway)).toEqual(["storage", "storage"])
  expect(gateway.control.recorded({ path: "/oauth/token" })).toHaveLength(0)
  expect(await serve(gateway)).toBe(200)
  expect(await gateway.process().stop()).toBe(0)
  expect(await refusedStart(gateway)).toMatch(/^sluice serve: .*full\n {2}Make room/m)
  auths.free()
  data.free()
  await gateway.startAgain()
  expect(await refreshAll(gateway)).toEqual(["refreshed", "refreshed"])
})

mountingTest(
  "an account folder that cannot be written: the database has the new pair, also after a restart, and the file gets it later",
  async () => {
    const { gateway, auths } = await start()
    auths.makeReadOnly()
    for (let rotation = 0; rotation < 3; rotation += 1)
      expect(await refreshAll(gateway)).toEqual(["refreshed", "refreshed"])
    expect(says(gateway, "account file could not be rewritten")).toBe(true)
    expect(await serve(gateway)).toBe(200)
    process.kill(gateway.process().pid, "SIGKILL")
    await gateway.process().stop()
    await gateway.startAgain()
    expect(await serve(gateway)).toBe(200)
    expect(await refreshAll(gateway)).toEqual(["refreshed", "refreshed"])
    expect(await gateway.process().stop()).toBe(0)
    auths.makeWritable()
    await gateway.startAgain()
    for (const { name } of gateway.control.accounts()) {
      await until(`the file of ${name}`, () => fileToken(gateway, name) === serverToken(gateway, name))
    }
  },
)

mountingTest("a data folder that cannot be written is refused at the start with what to do", async () => {
  const { gateway, data } = await start()
  expect(await gateway.process().stop()).toBe(0)
  data.makeReadOnly()
  const refusal = await refusedStart(gateway)
  expect(refusal).toContain("cannot be used")
  expect(refusal).toContain("--data-dir")
  data.makeWritable()
  await gateway.startAgain()
  expect(await serve(gateway)).toBe(200)
})
