/** Backup and restore around a gateway that runs: served on the one hand, refused on the other. */

import { expect, setDefaultTimeout, test } from "bun:test"
import { readdirSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"

import { compiledBinary } from "../support/binary.ts"
import { chat, type FaultGateway, startOwnGateway } from "./fixture.ts"

setDefaultTimeout(30_000)

/** Runs the program on the gateway's own configuration. */
async function sluice(gateway: FaultGateway, ...args: readonly string[]) {
  const child = Bun.spawn([await compiledBinary(), ...args, "--config", join(gateway.folder, "sluice.yaml")], {
    cwd: gateway.folder,
    env: { HOME: gateway.folder, PATH: "/usr/bin:/bin" },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { stdout, stderr, exitCode }
}

test("a running gateway is backed up under load, is not restored over, and starts again from the backup", async () => {
  await using gateway = await startOwnGateway()
  await Bun.write(
    join(gateway.folder, "more.json"),
    JSON.stringify([gateway.control.accountFile(gateway.control.createAccount({ name: "third" }).name)]),
  )
  expect((await sluice(gateway, "accounts", "import", "more.json")).exitCode).toBe(0)
  // The list is in clear; what follows is searched for secrets.
  rmSync(join(gateway.folder, "more.json"))
  const load = Array.from({ length: 20 }, (_, index) =>
    gateway.post("/v1/chat/completions", chat({ text: `${index}` })),
  )
  const backup = await sluice(gateway, "backup", "safe.db", "--json")
  expect(backup).toMatchObject({ exitCode: 0, stderr: "" })
  expect(JSON.parse(backup.stdout)).toMatchObject({ accounts: 1 })
  for (const answer of await Promise.all(load)) expect(answer.status).toBe(200)

  const data = join(gateway.folder, "data")
  const before = readFileSync(join(data, "core.db"))
  const refused = await sluice(gateway, "restore", "safe.db")
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is in use by process") })
  expect(readdirSync(data).filter(name => name.startsWith("replaced-"))).toEqual([])
  expect(readFileSync(join(data, "core.db")).length).toBeGreaterThanOrEqual(before.length)

  const listed = async () => {
    const { accounts } = (await gateway.get("/api/admin/accounts", { authorization: "" })).json()
    return (accounts as { email: string }[]).map(({ email }) => email).sort()
  }
  const all = await listed()
  expect(all).toHaveLength(3)
  const removed = await sluice(
    gateway,
    "accounts",
    "remove",
    all.find(email => email.startsWith("third")) ?? "",
    "--yes",
  )
  expect(removed.exitCode).toBe(0)
  await gateway.process().stop()
  expect(await sluice(gateway, "restore", "safe.db")).toMatchObject({ exitCode: 0, stderr: "" })
  await gateway.startAgain()
  expect(await listed()).toEqual(all)
})
