/** Which account a conversation gets: kept when it is worth it, left when it must be, and what becomes of what only one can read. */

import { expect, setDefaultTimeout, test } from "bun:test"
import { rm } from "node:fs/promises"
import { join } from "node:path"

import type { AccountId } from "#core/ids.ts"
import { arrayAt, isJsonObject, type Json, type JsonObject, stringAt } from "#core/json.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"

import { makeManualTime } from "../support/manual-timers.ts"
import { type FaultGateway, PROMPT_MARK, type Reply, type StatsBody, startOwnGateway, until } from "./fixture.ts"

setDefaultTimeout(20_000)

function said(text: string): JsonObject {
  return { type: "message", role: "user", content: [{ type: "input_text", text: `${PROMPT_MARK} ${text}` }] }
}

const outputOf = (reply: Reply) => (arrayAt(reply.json(), "output") ?? []).filter(isJsonObject)
const blobsIn = (items: readonly Json[]) =>
  items.flatMap(item => (isJsonObject(item) ? (stringAt(item, "encrypted_content") ?? []) : []))

/** A client that brings everything back that it was given, as Codex does. */
function talk(gateway: FaultGateway, session: string, history: readonly Json[] = []) {
  const input: Json[] = [...history]
  const body = (text: string) => ({
    model: "gpt-5.5",
    prompt_cache_key: session,
    reasoning: { effort: "high" },
    input: [...input, said(text)],
  })
  return {
    input,
    body,
    /** Sends the next turn; the accounts that were asked, in order. */
    say: async (text: string) => {
      gateway.control.clearRecorded()
      const reply = await gateway.post("/v1/responses", body(text))
      if (reply.status === 200) input.push(said(text), ...outputOf(reply))
      return { reply, accounts: gateway.turns().map(({ account }) => account ?? "") }
    },
  }
}

function errorOf(reply: Reply): JsonObject {
  const error = reply.json()["error"]
  if (!isJsonObject(error)) throw new Error(`no error object: ${reply.text}`)
  return error
}

const spend = (gateway: FaultGateway, account: string) =>
  gateway.control.setQuota(account, { primary: { usedPercent: 100, resetsInSec: 7200 } })

async function waitingIn(gateway: FaultGateway): Promise<number> {
  return ((await gateway.get("/stats")).json() as unknown as StatsBody).pool.waiting
}

/** Occupies the conversation's account, which has a single place, by an answer that has begun, until the gate is opened. */
async function occupy(gateway: FaultGateway, conversation: { readonly body: (text: string) => JsonObject }) {
  gateway.control.script({ settings: { hold: "busy", holdAfterEvents: 4 }, times: 1 })
  const held = gateway.post("/v1/responses", conversation.body("takes its time"))
  await gateway.control.untilWaiting("busy", 1)
  return {
    free: async () => {
      gateway.control.release("busy")
      expect((await held).status).toBe(200)
    },
  }
}

test.concurrent("fault 52: a conversation whose account is busy waits for it although another one is idle", async () => {
  await using gateway = await startOwnGateway({ settings: { "account-concurrency": 1 } })
  const conversation = talk(gateway, "patient")
  const [home] = (await conversation.say("one")).accounts
  const place = await occupy(gateway, conversation)
  const next = conversation.say("two")
  await until("the request is in line", async () => (await waitingIn(gateway)) === 1)
  await place.free()
  const { reply, accounts } = await next
  expect(reply.status).toBe(200)
  expect(accounts).toEqual([home ?? ""])
})

test.concurrent("fault 52: a wait that lasts too long is ended by another account, and the binding stays", async () => {
  await using gateway = await startOwnGateway({ settings: { "account-concurrency": 1 } })
  // Without reasoning only the cache is at stake: that is worth two seconds.
  const body = (text: string) => ({ model: "gpt-5.5", prompt_cache_key: "soft", input: [said(text)] })
  const ask = (text: string) => gateway.post("/v1/responses", body(text))
  gateway.control.script({ scenario: "text" })
  await ask("one")
  const home = gateway.turns()[0]?.account ?? ""
  const place = await occupy(gateway, { body })
  expect((await ask("two")).status).toBe(200)
  expect(gateway.turns().at(-1)?.account).not.toBe(home)
  await place.free()
  expect((await ask("three")).status).toBe(200)
  expect(gateway.turns().at(-1)?.account).toBe(home)
})

test.concurrent("fault 53: a conversation whose account is spent moves once, without what only that account can read", async () => {
  await using gateway = await startOwnGateway({ accounts: 3 })
  const conversation = talk(gateway, "mover")
  const first = await conversation.say("one")
  const [home = ""] = first.accounts
  const [blob = ""] = blobsIn(outputOf(first.reply))
  expect(blob).not.toBe("")
  spend(gateway, home)

  const second = await conversation.say("two")
  expect(second.reply.status).toBe(200)
  // One refusal for the quota, none for encrypted content.
  const [spent, next = ""] = second.accounts
  expect(second.accounts).toHaveLength(2)
  expect(spent).toBe(home)
  const sent = gateway.turns().map(({ body }) => JSON.stringify(body))
  expect(sent[0]).toContain(blob)
  expect(sent[1]).not.toContain(blob)
  expect(sent[1]).toContain(`${PROMPT_MARK} one`)
  const [own = ""] = blobsIn(outputOf(second.reply))

  const third = await conversation.say("three")
  expect(third.accounts).toEqual([next])
  const thirdBody = JSON.stringify(gateway.turns()[0]?.body)
  expect(thirdBody).toContain(own)
  expect(thirdBody).not.toContain(blob)
})

test.concurrent("encrypted reasoning finds its account under another name of the conversation", async () => {
  // One after the other, so that four conversations have four homes.
  await using gateway = await startOwnGateway({ accounts: 4, settings: { scheduler: { strategy: "round-robin" } } })
  const homes: string[] = []
  const talks = ["a", "b", "c", "d"].map(name => talk(gateway, name))
  for (const one of talks) homes.push(...(await one.say("one")).accounts)
  expect(new Set(homes).size).toBe(4)
  const resumed = [...talks.entries()].reverse()
  for (const [index, { input }] of resumed) {
    const { accounts } = await talk(gateway, `resumed ${index}`, input).say("two")
    expect(accounts).toEqual([homes[index] ?? ""])
  }
})

test.concurrent.each(["encrypted-content", "encrypted-content-uncoded"])(
  "fault 54: %s is recognised, what can be spared is left out, and the same account is asked once more",
  async scenario => {
    await using gateway = await startOwnGateway()
    const conversation = talk(gateway, "refused")
    const first = await conversation.say("one")
    const [blob = ""] = blobsIn(outputOf(first.reply))
    gateway.control.script({ scenario, times: 1 })
    const { reply, accounts } = await conversation.say("two")
    expect(reply.status).toBe(200)
    expect(accounts).toEqual([first.accounts[0] ?? "", first.accounts[0] ?? ""])
    const sent = gateway.turns().map(({ body }) => JSON.stringify(body).includes(blob))
    expect(sent).toEqual([true, false])
  },
)

test("fault 56: a conversation that goes on for eight hours is never rebound by age", () => {
  const time = makeManualTime()
  const { conversations } = makeAffinity({ clock: time.clock })
  conversations.set("long", "acc_a" as AccountId)
  for (let minutes = 0; minutes < 8 * 60; minutes += 59) {
    time.advance(59 * 60_000)
    expect(conversations.get("long")).toBe("acc_a" as AccountId)
  }
  time.advance(61 * 60_000)
  expect(conversations.get("long")).toBeUndefined()
})

test("fault 57: a million session keys stay within the bound, and the conversation in use survives", () => {
  const time = makeManualTime()
  const { conversations } = makeAffinity({ clock: time.clock })
  conversations.set("kept", "acc_a" as AccountId)
  for (let index = 0; index < 1_000_000; index += 1) {
    conversations.set(`c${index}`, "acc_b" as AccountId)
    if (index % 1_000 === 0) conversations.get("kept")
  }
  expect(conversations.get("kept")).toBe("acc_a" as AccountId)
  expect(conversations.get("c0")).toBeUndefined()
  expect(conversations.takeChanged(1_000_000)).toHaveLength(conversations.maxEntries)
})

test.concurrent("fault 58: the account a conversation is bound to is not asked again in a request it has failed in", async () => {
  await using gateway = await startOwnGateway({ accounts: 3 })
  const conversation = talk(gateway, "excluded")
  const [home = ""] = (await conversation.say("one")).accounts
  gateway.control.script({ scenario: "bad-gateway", account: home })
  const { reply, accounts } = await conversation.say("two")
  expect(reply.status).toBe(200)
  expect(accounts).toHaveLength(2)
  expect(accounts.filter(account => account === home)).toHaveLength(1)
  // One failure is no reason to move.
  gateway.control.clearScripts()
  expect((await conversation.say("three")).accounts).toEqual([home])
})

test.concurrent("fault 59: a conversation stays although its account's window is nearly full", async () => {
  await using gateway = await startOwnGateway({ accounts: 3 })
  const conversation = talk(gateway, "frugal")
  const [home = ""] = (await conversation.say("one")).accounts
  for (const usedPercent of [85, 95, 99]) {
    gateway.control.setQuota(home, { primary: { usedPercent, resetsInSec: 7200 } })
    expect((await conversation.say(`at ${usedPercent}`)).accounts).toEqual([home])
  }
})

test.concurrent("conversations find their accounts again after a restart, their encrypted reasoning included", async () => {
  await using gateway = await startOwnGateway({ accounts: 4 })
  const talks = ["a", "b", "c", "d"].map(name => talk(gateway, name))
  const homes: string[] = []
  for (const one of talks) homes.push(...(await one.say("one")).accounts)
  await gateway.process().stop()
  await gateway.startAgain()
  for (const [index, one] of [...talks.entries()].reverse()) {
    expect((await one.say("two")).accounts).toEqual([homes[index] ?? ""])
  }
  // Known by its reasoning alone, which another account would refuse.
  expect((await talk(gateway, "resumed", talks[0]?.input).say("three")).accounts).toEqual([homes[0] ?? ""])
})

/** A conversation whose history the upstream has compacted, and the account that did. */
async function compacted(gateway: FaultGateway) {
  const reply = await gateway.post("/v1/responses/compact", { model: "gpt-5.5", input: [said("long ago")] })
  expect(reply.status).toBe(200)
  const [item] = outputOf(reply).filter(one => stringAt(one, "type") === "compaction")
  if (item === undefined) throw new Error(`no compaction: ${reply.text}`)
  return { conversation: talk(gateway, "compacted", [item]), account: gateway.turns().at(-1)?.account ?? "" }
}

test.concurrent("a compacted conversation goes to the account that compacted it, and nowhere else when that is spent", async () => {
  await using gateway = await startOwnGateway({ accounts: 3 })
  const { conversation, account } = await compacted(gateway)
  for (const text of ["one", "two"]) expect((await conversation.say(text)).accounts).toEqual([account])
  spend(gateway, account)
  for (const asked of [[account], []]) {
    const { reply, accounts } = await conversation.say("three")
    expect(accounts).toEqual(asked)
    expect(reply.status).toBe(503)
    expect(errorOf(reply)).toMatchObject({ code: "compaction_account_unavailable", type: "server_error" })
    expect(stringAt(errorOf(reply), "message")).toContain("is resting")
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(7000)
  }
})

test.concurrent("a compacted conversation whose account was removed is told so", async () => {
  await using gateway = await startOwnGateway()
  const { conversation, account } = await compacted(gateway)
  await rm(join(gateway.folder, "auths", `${account}.json`))
  await until("the account is gone", async () => {
    const { pool } = (await gateway.get("/stats")).json() as unknown as StatsBody
    return pool.total === 1
  })
  const { reply, accounts } = await conversation.say("one")
  expect(accounts).toEqual([])
  expect(reply.status).toBe(400)
  expect(errorOf(reply)).toMatchObject({ code: "compaction_account_unavailable", type: "invalid_request_error" })
})

test.concurrent("a compaction that nobody is known for is refused, not silently left out", async () => {
  await using gateway = await startOwnGateway()
  const { conversation, account } = await compacted(gateway)
  expect(blobsIn(outputOf((await conversation.say("one")).reply))).toHaveLength(1)
  await gateway.process().stop()
  for (const suffix of ["", "-wal", "-shm"]) await rm(join(gateway.folder, "data", `core.db${suffix}`), { force: true })
  await rm(join(gateway.folder, "auths", `${account}.json`))
  await gateway.startAgain()
  const { reply, accounts } = await conversation.say("two")
  // The reasoning is spared in a second try; the compaction cannot be.
  expect(accounts).toHaveLength(2)
  expect(reply.status).toBe(400)
  expect(errorOf(reply)).toMatchObject({ code: "invalid_encrypted_content", type: "invalid_request_error" })
  expect(stringAt(errorOf(reply), "message")).toContain("compacted history")
})
