import { describe, expect, test } from "bun:test"

import type { AccountId } from "#core/ids.ts"
import type { JsonObject } from "#core/json.ts"
import { makeAffinity } from "#gateway/affinity/affinity.ts"
import { type HomeClues, homeOf } from "#gateway/affinity/home.ts"
import { foreignTexts, traceOf } from "#gateway/affinity/trace.ts"

import { makeManualTime } from "../../../support/manual-timers.ts"
import { decodeChat, decodeResponses, userText } from "../../protocols/request-kit.ts"

const account = (name: string) => name as AccountId
const reasoning = (text: string) => ({ type: "reasoning", summary: [], encrypted_content: text })
const compaction = (text: string, type = "compaction") => ({ type, encrypted_content: text })

function start() {
  const affinity = makeAffinity({ clock: makeManualTime().clock })
  const trace = (...input: readonly JsonObject[]) => traceOf(decodeResponses({ input }), affinity.blobs)
  const home = (clues: Partial<HomeClues> = {}) =>
    homeOf({ conversation: "c", turnState: null, trace: trace(), ...clues }, affinity)
  for (const name of ["a", "b"]) affinity.blobs.set(`made by ${name}`, account(name))
  return { affinity, trace, home }
}

describe("the trace of a request", () => {
  test("names the makers it knows, and says what kinds there are", () => {
    const { trace } = start()
    const made = trace(userText("hi"), reasoning("made by a"), reasoning("unknown"), reasoning("made by b"))
    expect([...made.reasoning]).toEqual([
      ["made by a", account("a")],
      ["made by b", account("b")],
    ])
    expect(made).toMatchObject({ hasReasoning: true, hasCompaction: false })
    expect(made.compactedBy).toBeUndefined()
  })

  test.each(["compaction", "compaction_summary", "context_compaction"])("knows a %s by its maker", type => {
    const made = start().trace(compaction("made by a", type), userText("hi"))
    expect(made).toMatchObject({ compactedBy: account("a"), hasCompaction: true, hasReasoning: false })
  })

  test("finds encrypted text in bodies of other dialects as well", () => {
    const { affinity } = start()
    const request = decodeChat({ messages: [{ role: "user", content: "hi" }] })
    if (request.body.type !== "neutral") throw new Error("chat bodies are neutral")
    const native = (json: string) => ({ type: "native-item", item: { family: "openai-responses", json } }) as const
    const input = [
      native(JSON.stringify(reasoning("made by b"))),
      native('{"type":"web_search_call","encrypted_content":"made by a"}'),
      native('{"type":"reasoning","encrypted_content":null}'),
      native("not json"),
    ]
    const made = traceOf({ ...request, body: { ...request.body, input } }, affinity.blobs)
    expect([...made.reasoning]).toEqual([["made by b", account("b")]])
  })

  test("tells what an account cannot read: only what is known to be another one's", () => {
    const made = start().trace(reasoning("made by a"), reasoning("unknown"), reasoning("made by b"))
    expect([...foreignTexts(made, account("a"))]).toEqual(["made by b"])
    expect([...foreignTexts(made, account("c"))]).toEqual(["made by a", "made by b"])
  })
})

describe("the home of a request", () => {
  test("is nowhere when nothing is known", () => {
    expect(start().home()).toBeUndefined()
  })

  test("is where the conversation was served, for the sake of its cache", () => {
    const { affinity, home } = start()
    affinity.conversations.set("c", account("b"))
    expect(home()).toEqual({ account: account("b"), hold: "soft", owns: false })
  })

  test("of a new conversation is where its session was served last, if that is free", () => {
    const { affinity, home } = start()
    affinity.conversations.set("g", account("b"))
    expect(home({ group: "g" })).toEqual({ account: account("b"), hold: "hint", owns: false })
    affinity.conversations.set("c", account("a"))
    expect(home({ group: "g" })?.account).toBe(account("a"))
  })

  test("is who made its reasoning, who then owns the conversation", () => {
    const { trace, home } = start()
    const made = trace(reasoning("made by a"), reasoning("made by b"))
    expect(home({ trace: made })).toEqual({ account: account("b"), hold: "hard", owns: true })
  })

  test("stays the bound account as long as some of the reasoning is its own", () => {
    const { affinity, trace, home } = start()
    affinity.conversations.set("c", account("a"))
    const helpedOut = trace(reasoning("made by a"), reasoning("made by b"))
    expect(home({ trace: helpedOut })?.account).toBe(account("a"))
    expect(home({ trace: trace(reasoning("made by b")) })?.account).toBe(account("b"))
    expect(home({ trace: trace(reasoning("unknown")) })).toMatchObject({ account: account("a"), hold: "soft" })
  })

  test("is the issuer of its turn state within a turn, and the conversation stays where it is", () => {
    const { affinity, trace, home } = start()
    affinity.conversations.set("c", account("a"))
    affinity.turnStates.set("state", account("b"))
    const clues = { turnState: "state", trace: trace(reasoning("made by a")) }
    expect(home(clues)).toEqual({ account: account("b"), hold: "hard", owns: false })
    expect(home({ ...clues, turnState: "foreign" })?.account).toBe(account("a"))
  })

  test("is who compacted its history before all else: nobody else can go on with it", () => {
    const { affinity, trace, home } = start()
    affinity.conversations.set("c", account("b"))
    affinity.turnStates.set("state", account("b"))
    const made = trace(compaction("made by a"), reasoning("made by b"))
    expect(home({ turnState: "state", trace: made })).toEqual({ account: account("a"), hold: "fixed", owns: true })
  })
})
