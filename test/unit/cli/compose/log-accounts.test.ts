/** What the log says of accounts: enough to act on, and nothing secret. */

import { expect, test } from "bun:test"

import type { AccountPoolEvent } from "#accounts/account-pool.ts"
import { logAccountEvent } from "#cli/compose/log-accounts.ts"
import { toGatewayError } from "#core/errors.ts"
import type { AccountId } from "#core/ids.ts"
import { makeLog } from "#telemetry/log.ts"

const ID = "acc_0123456789abcdef" as AccountId

async function lineOf(event: AccountPoolEvent): Promise<string> {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  logAccountEvent(event, await makeLog({ level: "info", format: "json", destination }))
  return lines.join("")
}

function parserFailure(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}

test("a crash of refreshing names its cause and never quotes it", async () => {
  const failure = parserFailure('{"refresh_token": opaque4f1c9b2a7d3e6f80}')
  expect(String(failure)).toContain("opaque4f1c9b2a7d3e6f80")
  const line = await lineOf({ type: "refresh-crashed", error: toGatewayError(failure) })
  expect(line).toContain("SyntaxError")
  expect(line).not.toContain("opaque4f1c9b2a7d3e6f80")
})

test("a login that a lost answer made necessary is explained, with what to do", async () => {
  const effect = { type: "needs-login" } as const
  const event = { type: "account-effect", accountId: ID, effect, detail: "refresh_token_reused" } as const
  const explained = JSON.parse(await lineOf({ ...event, afterLostAnswer: true }))
  expect(explained).toMatchObject({ account: ID, code: "refresh_token_reused" })
  expect(explained.explanation).toContain("its answer never arrived")
  expect(explained.hint).toContain("sluice login")
  expect(JSON.parse(await lineOf({ ...event, afterLostAnswer: false }))).not.toHaveProperty("explanation")
})

test("an exchange without a known end is told with where it comes from", async () => {
  const line = JSON.parse(await lineOf({ type: "credential-uncertain", accountId: ID, origin: "earlier-run" }))
  expect(line).toMatchObject({ level: "warn", account: ID, origin: "earlier-run" })
  expect(line.msg).toStartWith("a token refresh has no known end")
})
