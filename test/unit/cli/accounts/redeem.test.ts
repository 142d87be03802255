/** `sluice accounts redeem` against a gateway that runs. */

import { afterAll, beforeAll, expect, test } from "bun:test"

import { runCommandLine } from "#cli/command-line.ts"

import { recordIo } from "../../../support/command-io.ts"
import { type InProcessGateway, startInProcessGateway } from "../../../support/in-process-gateway.ts"

let gateway: InProcessGateway
beforeAll(async () => {
  gateway = await startInProcessGateway({ accounts: 2, files: 2 })
})
afterAll(() => gateway.stop())

async function redeem(...args: readonly string[]) {
  const recorded = recordIo({ env: {}, cwd: gateway.folder })
  const line = ["accounts", "redeem", ...args, "--gateway", gateway.url, "--data-dir", gateway.folder]
  const exitCode = await runCommandLine(line, recorded.io)
  return { exitCode, stdout: recorded.stdout(), stderr: recorded.stderr() }
}

test("without --yes it lists what could be spent, with --yes it spends one, and never a second one in vain", async () => {
  const { control } = gateway.simulator
  control.grantResets("account-1", 2)
  control.setQuota("account-1", { primary: { usedPercent: 100, resetsInSec: 7200 } })
  const listed = await redeem("account-1@simulator.invalid")
  expect(listed.exitCode).toBe(0)
  expect(listed.stdout).toContain("2 reset credits can be spent")
  expect(listed.stdout).toMatch(
    /CREDIT +STATUS +ENDS +TITLE\nRateLimitResetCredit_\w+ +available +in \d+ d +Full reset\n/,
  )
  expect(listed.stderr).toContain("add --yes")
  const spent = await redeem("account-1@simulator.invalid", "--yes")
  expect({ ...spent, stdout: "" }).toEqual({ exitCode: 0, stdout: "", stderr: "" })
  expect(spent.stdout).toContain("reset; the account's windows start anew")
  const again = await redeem("account-1@simulator.invalid", "--yes")
  expect(again.exitCode).toBe(1)
  expect(again.stderr).toContain("--even-if-open")
  const json = JSON.parse((await redeem("account-1@simulator.invalid", "--json")).stdout)
  expect(json).toMatchObject({ redeemed: false, available_count: 1 })
})

test("an account without credits, and names that do not fit", async () => {
  const empty = await redeem("account-2@simulator.invalid")
  expect(empty).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("0 reset credits"), stderr: "" })
  expect((await redeem()).exitCode).toBe(2)
  expect((await redeem("nobody")).exitCode).toBe(1)
})
