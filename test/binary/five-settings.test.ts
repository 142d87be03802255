/** The least an operator has to say: five settings, and an upstream that speaks the protocol. */

import { expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { startSimulator } from "#simulator/simulator.ts"

import { compiledBinary, freePort, startGateway } from "../support/binary.ts"
import { refuseClearSecrets } from "../support/clear-text.ts"

test("five settings are enough to serve", async () => {
  const simulator = startSimulator({ accounts: 1 })
  const folder = await mkdtemp(join(tmpdir(), "sluice-five-"))
  const port = freePort()
  await Bun.write(join(folder, "auths/one.json"), JSON.stringify(simulator.control.accountFile("account-1")))
  const settings = [
    `listen: 127.0.0.1:${port}`,
    `auth-dir: ${join(folder, "auths")}`,
    `base-url: ${simulator.url}/backend-api/codex`,
    `data-dir: ${join(folder, "data")}`,
    "api-keys: [sk-five]",
  ]
  await Bun.write(join(folder, "sluice.yaml"), settings.join("\n"))
  const gateway = await startGateway({
    command: [await compiledBinary(), "serve", "--config", join(folder, "sluice.yaml")],
    url: `http://127.0.0.1:${port}`,
    cwd: folder,
    env: { HOME: folder },
  })
  try {
    const answer = await fetch(`${gateway.url}/v1/responses`, {
      method: "POST",
      headers: { authorization: "Bearer sk-five" },
      body: JSON.stringify({ model: "gpt-5.5", input: "Say hello" }),
    })
    expect(answer.status).toBe(200)
    expect(JSON.stringify(await answer.json())).toContain("Say hello")
  } finally {
    await gateway.stop()
    await simulator.stop()
    const secrets = simulator.control.issuedTokens()
    refuseClearSecrets({ secrets, outputs: [gateway.output()], bodies: [], folder })
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)
