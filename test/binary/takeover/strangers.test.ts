/** Who may take a port or a data folder, with the compiled binary: the successor of a gateway, and nobody else. */

import { afterEach, expect, setDefaultTimeout, test } from "bun:test"
import { join } from "node:path"

import { type FaultGateway, turn } from "../../faults/fixture.ts"
import { compiledBinary, freePort } from "../../support/binary.ts"
import { keepAliveClient } from "../../support/keep-alive-client.ts"
import { makeStarted, takeOver } from "./fixture.ts"

setDefaultTimeout(90_000)

const { start, stopAll } = makeStarted()
afterEach(stopAll)

/** Runs `sluice serve` with the configuration of `gateway` until it ends by itself. */
async function serve(gateway: FaultGateway, ...flags: readonly string[]) {
  const command = [await compiledBinary(), "serve", "--config", join(gateway.folder, "sluice.yaml"), ...flags]
  const child = Bun.spawn(command, {
    cwd: gateway.folder,
    env: { HOME: gateway.folder, PATH: "/usr/bin:/bin" },
    stdout: "ignore",
    stderr: "pipe",
    timeout: 20_000,
  })
  const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  return { said, code }
}

/** Another program of the same user, at a port that it would share. */
function stranger() {
  return Bun.serve({ hostname: "127.0.0.1", port: freePort(), reusePort: true, fetch: () => new Response("stranger") })
}

test("without a gateway to replace, --takeover simply starts", async () => {
  const gateway = await start()
  await gateway.process().stop()
  await gateway.startAgain("--takeover")
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
})

test("a second process without --takeover is refused, and told who has the data folder", async () => {
  const gateway = await start()
  const first = gateway.process()
  await takeOver(gateway)
  const { said, code } = await serve(gateway)
  expect(code).toBe(1)
  expect(said).toContain(`is in use by process ${gateway.process().pid}.`)
  expect(said).toContain("Stop that process, or give this one a data directory of its own.")
  expect(said).not.toContain(`process ${first.pid}.`)
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
})

for (const flags of [[], ["--takeover"]]) {
  const command = ["serve", ...flags].join(" ")
  test(`\`${command}\` is refused at the port of a stranger, even of one that would share it`, async () => {
    const gateway = await start()
    await using other = stranger()
    const listen = `127.0.0.1:${other.port}`
    const { said, code } = await serve(gateway, "--data-dir", "elsewhere", "--listen", listen, ...flags)
    expect(code).toBe(1)
    expect(said).toContain(`Cannot listen on ${listen}: `)
    expect(said).toContain("Another program may use the port: stop it, or choose another one with --listen.")
    expect(await (await fetch(other.url)).text()).toBe("stranger")
  })

  test(`\`${command}\` with another data folder is refused at the port of a running gateway`, async () => {
    const gateway = await start()
    const listen = new URL(gateway.url).host
    const { said, code } = await serve(gateway, "--data-dir", "elsewhere", ...flags)
    expect(code).toBe(1)
    expect(said).toContain(`Cannot listen on ${listen}: `)
    expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  })
}

test("a successor whose port a stranger has is refused, and the running process goes on", async () => {
  const gateway = await start()
  await using other = stranger()
  const listen = `127.0.0.1:${other.port}`
  const { said, code } = await serve(gateway, "--takeover", "--listen", listen)
  expect(code).toBe(1)
  expect(said).toContain(`Cannot listen on ${listen}: `)
  expect((await gateway.post("/v1/responses", turn())).status).toBe(200)
  expect(gateway.process().output()).toContain("everything goes on as before")
})

test("whoever says in a header that a request was passed on is still who he is, also when it is passed on", async () => {
  const gateway = await start()
  const spoofed = { authorization: "", "x-sluice-passed-peer": "203.0.113.9" }
  const client = keepAliveClient(gateway.url)
  // Without an administrator's key these are for this machine alone.
  expect(await client.post("/api/admin/keys", { name: "one" }, spoofed)).toMatchObject({ status: 200 })
  await takeOver(gateway)
  expect(await client.post("/api/admin/keys", { name: "two" }, spoofed)).toMatchObject({ status: 200 })
  expect(client.connections()).toBe(1)
  client.close()
})
