/** The binary signs accounts in, in each of its three ways, and then serves them. */

import { afterAll, beforeAll, expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { type Simulator, startSimulator } from "#simulator/simulator.ts"

import { compiledBinary, freePort, startGateway } from "../support/binary.ts"
import { refuseClearSecrets } from "../support/clear-text.ts"

let binary = ""
let folder = ""
let simulator: Simulator
/** Everything that was printed here. */
const outputs: string[] = []
beforeAll(async () => {
  binary = await compiledBinary()
  folder = mkdtempSync(join(tmpdir(), "sluice-login-"))
  simulator = startSimulator({ accounts: 3 })
  const settings = [
    "auth-dir: auths",
    "data-dir: data",
    `base-url: ${simulator.url}/backend-api/codex`,
    `oauth: { issuer: "${simulator.url}" }`,
  ]
  writeFileSync(join(folder, "sluice.yaml"), settings.join("\n"))
}, 60_000)
afterAll(async () => {
  await simulator.stop()
  refuseClearSecrets({ secrets: simulator.control.issuedTokens(), outputs, bodies: [], folder })
  rmSync(folder, { recursive: true, force: true })
})

/** Runs `sluice login`; `act` gets the address it prints and may type. Resolves with the exit code and what was said. */
async function login(args: readonly string[], act: (url: string, type: (text: string) => void) => Promise<unknown>) {
  const child = Bun.spawn([binary, "login", ...args], {
    cwd: folder,
    // Without a display: the test is the browser.
    env: { HOME: folder, PATH: "/usr/bin:/bin" },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  })
  const type = (text: string) => {
    void child.stdin.write(text)
    void child.stdin.flush()
  }
  let said = ""
  let acting: Promise<unknown> | undefined
  const decoder = new TextDecoder()
  for await (const chunk of child.stdout) {
    said += decoder.decode(chunk, { stream: true })
    const url = /^ {2}(http\S+)\n/m.exec(said)?.[1]
    if (url !== undefined) acting ??= act(url, type)
  }
  await acting
  outputs.push(said)
  return { code: await child.exited, said }
}

async function health(url: string): Promise<{ readonly total: number; readonly available: number }> {
  return (await fetch(`${url}/health`)).json()
}

/** An account whose sign-in the upstream has ended serves again once it is signed in anew, without a restart. */
async function healsByLogin(url: string) {
  simulator.control.markAccess("account-3", "invalidated")
  simulator.control.markRefresh("account-3", "invalidated")
  const email = simulator.control.accounts().find(account => account.name === "account-3")?.email ?? ""
  // Not synchronously: the upstream lives in this process.
  const test = async () => {
    const child = Bun.spawn([binary, "accounts", "test", email], {
      cwd: folder,
      env: { HOME: folder },
      stdout: "pipe",
      stderr: "ignore",
    })
    return `${await new Response(child.stdout).text()}${await child.exited}`
  }
  expect(await test()).toMatch(/: failed, \d+ ms; .*\n1$/)
  const again = await login(["--no-browser"], async (page, type) => {
    type(`${(await fetch(page, { redirect: "manual" })).headers.get("location")}\n`)
  })
  expect(again).toMatchObject({ code: 0, said: expect.stringContaining("Its sign-in was replaced in the gateway at") })
  expect(await health(url)).toMatchObject({ total: 3, available: 3 })
  expect(await test()).toMatch(/: ok, \d+ ms; .*\n0$/)
}

test("browser, pasted address and device code each add an account, and a running gateway serves them", async () => {
  simulator.control.setRules({ devicePendingPolls: 0, deviceIntervalSec: 0 })

  simulator.control.chooseLogin("account-1")
  // Follows the redirect, as a browser does.
  const byBrowser = await login(["--port", "0"], async url =>
    expect(await (await fetch(url)).text()).toContain("Signed in"),
  )
  expect(byBrowser.said).toContain("Signed in as ac***")
  expect(byBrowser.said).toContain(`The account was added to the data folder ${join(folder, "data")}.`)
  expect(byBrowser.code).toBe(0)

  simulator.control.chooseLogin("account-2")
  const byPaste = await login(["--no-browser"], async (url, type) => {
    const page = await fetch(url, { redirect: "manual" })
    type(`${page.headers.get("location")}\n`)
  })
  expect(byPaste).toMatchObject({ code: 0, said: expect.stringContaining("Signed in as ac***") })

  const address = `127.0.0.1:${freePort()}`
  const gateway = await startGateway({
    command: [binary, "serve", "--listen", address],
    url: `http://${address}`,
    cwd: folder,
    env: { HOME: folder, PATH: "/usr/bin:/bin" },
  })
  try {
    expect(await health(gateway.url)).toMatchObject({ total: 2, available: 2 })
    simulator.control.chooseLogin("account-3")
    const byDevice = await login(["--device"], async url => expect(url).toBe(`${simulator.url}/codex/device`))
    expect(byDevice.said).toContain("Waiting for the code to be entered")
    expect(byDevice.code).toBe(0)
    expect(byDevice.said).toContain(`The account was added to the gateway at ${gateway.url}.`)
    // The gateway has it when the command has ended, and no file was made for it.
    expect(await health(gateway.url)).toMatchObject({ total: 3, available: 3 })
    expect(existsSync(join(folder, "auths"))).toBe(false)
    const answer = await fetch(`${gateway.url}/v1/responses`, {
      method: "POST",
      body: JSON.stringify({ model: "gpt-5.5", input: "Say hello" }),
    })
    expect(answer.status).toBe(200)
    await healsByLogin(gateway.url)
  } finally {
    await gateway.stop()
    outputs.push(gateway.output())
  }
}, 60_000)

test("SIGINT during the wait ends with a sentence and code 1", async () => {
  const child = Bun.spawn([binary, "login", "--port", "0", "--auth-dir", "none-yet"], {
    cwd: folder,
    env: { HOME: folder, PATH: "/usr/bin:/bin" },
    stdout: "pipe",
    stderr: "pipe",
  })
  for await (const chunk of child.stdout) {
    if (new TextDecoder().decode(chunk).includes("/oauth/authorize")) child.kill("SIGINT")
  }
  expect(await new Response(child.stderr).text()).toContain("Cancelled; no account was added.")
  expect(await child.exited).toBe(1)
  expect(existsSync(join(folder, "none-yet"))).toBe(false)
}, 20_000)

test("a wrong admin key is said before anybody is sent to a sign-in page", async () => {
  const address = `127.0.0.1:${freePort()}`
  const gateway = await startGateway({
    command: [binary, "serve", "--listen", address, "--admin-key", "the-key"],
    url: `http://${address}`,
    cwd: folder,
    env: { HOME: folder, PATH: "/usr/bin:/bin" },
  })
  try {
    const refused = Bun.spawnSync([binary, "login", "--device"], { cwd: folder, env: { HOME: folder } })
    expect([refused.exitCode, refused.stdout.toString()]).toEqual([1, ""])
    expect(refused.stderr.toString()).toContain("Give this command the `admin-key` the gateway has")
  } finally {
    await gateway.stop()
  }
}, 20_000)
