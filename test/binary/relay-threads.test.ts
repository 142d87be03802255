/** Relay threads inside the compiled binary, where their program is a file that only the binary has. */

import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { type Simulator, startSimulator } from "#simulator/simulator.ts"

import { compiledBinary, freePort, type StartedGateway, startGateway } from "../support/binary.ts"
import { refuseClearSecrets } from "../support/clear-text.ts"

const KEY = "sk-relay-threads"

let folder = ""
let simulator: Simulator
let gateway: StartedGateway | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-threads-"))
  mkdirSync(join(folder, "tmp"))
  simulator = startSimulator({ accounts: 2 })
})
afterEach(async () => {
  await gateway?.stop()
  await simulator.stop()
  const secrets = [KEY, ...simulator.control.issuedTokens()]
  refuseClearSecrets({ secrets, outputs: [gateway?.output() ?? ""], bodies: [], folder })
  rmSync(folder, { recursive: true, force: true })
})

/** Starts the binary; what it keeps for itself while it runs goes to the folder `tmp`. */
async function start(...flags: readonly string[]): Promise<StartedGateway> {
  for (const { name } of simulator.control.accounts()) {
    await Bun.write(join(folder, "auths", `${name}.json`), JSON.stringify(simulator.control.accountFile(name)))
  }
  const port = freePort()
  const settings = [
    `listen: 127.0.0.1:${port}`,
    `auth-dir: ${join(folder, "auths")}`,
    `base-url: ${simulator.url}/backend-api/codex`,
    `data-dir: ${join(folder, "data")}`,
    `api-keys: [${KEY}]`,
  ]
  await Bun.write(join(folder, "sluice.yaml"), settings.join("\n"))
  gateway = await startGateway({
    command: [await compiledBinary(), "serve", "--config", join(folder, "sluice.yaml"), ...flags],
    url: `http://127.0.0.1:${port}`,
    cwd: folder,
    env: { HOME: folder, PATH: "/usr/bin:/bin", TMPDIR: join(folder, "tmp") },
  })
  return gateway
}

const headers = { authorization: `Bearer ${KEY}` }

async function turn(url: string): Promise<string> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    // A connection of its own: the kernel deals out connections, not requests.
    keepalive: false,
    headers,
    body: JSON.stringify({ model: "gpt-5.5", stream: true, messages: [{ role: "user", content: "Say hello" }] }),
  })
  expect(answer.status).toBe(200)
  return answer.text()
}

const health = async (url: string) => (await fetch(`${url}/health`, { headers })).json()
const doors = () => readdirSync(join(folder, "tmp"), { recursive: true }).map(String)

test("two threads serve turns and pass the rest on through a door of this user's; at the end the door is gone", async () => {
  const { url, stop } = await start("--workers", "2")
  const texts = await Promise.all(Array.from({ length: 20 }, () => turn(url)))
  for (const text of texts) expect(text).toEndWith("data: [DONE]\n\n")
  expect(await health(url)).toMatchObject({
    relays: {
      count: 2,
      alive: 2,
      threads: [
        { alive: true, restarts: 0 },
        { alive: true, restarts: 0 },
      ],
    },
  })
  const door = doors().find(path => path.endsWith("door.sock")) ?? ""
  expect(statSync(join(folder, "tmp", door)).mode & 0o777).toBe(0o600)
  expect(statSync(join(folder, "tmp", door, "..")).mode & 0o777).toBe(0o700)
  expect(await stop()).toBe(0)
  expect(doors()).toEqual([])
}, 60_000)

test("with one worker there are no threads and no door", async () => {
  const { url } = await start("--workers", "1")
  expect(await turn(url)).toEndWith("data: [DONE]\n\n")
  expect(await health(url)).not.toHaveProperty("relays")
  expect(doors()).toEqual([])
}, 60_000)
