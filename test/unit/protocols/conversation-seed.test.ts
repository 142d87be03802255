import { describe, expect, test } from "bun:test"

import type { JsonObject } from "#core/json.ts"
import { conversationKey, conversationSeed } from "#protocols/conversation-seed.ts"

import { assistantText, decodeChat, decodeResponses, userText } from "./request-kit.ts"

const system = { role: "system", content: "You are kind." }

function chatSeed(...messages: readonly { readonly role: string; readonly content: string }[]): string {
  return conversationSeed(decodeChat({ messages }))
}

describe("the seed of a conversation", () => {
  test("stays the same while turns are appended", () => {
    const first = chatSeed(system, { role: "user", content: "hi" })
    const later = chatSeed(
      system,
      { role: "user", content: "hi" },
      { role: "assistant", content: "yes?" },
      { role: "user", content: "go" },
    )
    expect(later).toBe(first)
    const native = [userText("hi")]
    expect(conversationSeed(decodeResponses({ input: [...native, assistantText("yes?"), userText("go")] }))).toBe(
      conversationSeed(decodeResponses({ input: native })),
    )
  })

  test("differs by first turn, by instructions, by model and by hint", () => {
    const seeds = [
      chatSeed(system, { role: "user", content: "hi" }),
      chatSeed(system, { role: "user", content: "ho" }),
      chatSeed({ role: "system", content: "You are rude." }, { role: "user", content: "hi" }),
      conversationSeed(decodeChat({ model: "other", messages: [system, { role: "user", content: "hi" }] })),
      conversationSeed(decodeChat({ user: "u", messages: [system, { role: "user", content: "hi" }] })),
      conversationSeed(decodeResponses({ input: "hi", instructions: "Be brief." })),
      conversationSeed(decodeResponses({ input: "hi", instructions: "Be long." })),
    ]
    expect(new Set(seeds).size).toBe(seeds.length)
  })

  test("is the client's own key when there is one", () => {
    const a = decodeChat({ prompt_cache_key: "k", messages: [{ role: "user", content: "hi" }] })
    const b = decodeChat({ prompt_cache_key: "k", messages: [{ role: "user", content: "ho" }] })
    expect(conversationSeed(a)).toBe(conversationSeed(b))
  })

  test("does not depend on dates and reminders", () => {
    const user = (reminder: string) => ({ role: "user", content: `<system-reminder>${reminder}</system-reminder>\nhi` })
    const dated = (date: string) => ({ role: "system", content: `You are kind.\nToday is ${date}.` })
    expect(chatSeed(dated("2026-01-02"), user("a"))).toBe(chatSeed(dated("2026-01-03"), user("b")))
  })

  test("skips a first turn that is nothing but context", () => {
    const context = userText("<environment_context>cwd</environment_context>")
    expect(conversationSeed(decodeResponses({ input: [context, userText("a")] }))).not.toBe(
      conversationSeed(decodeResponses({ input: [context, userText("b")] })),
    )
  })

  test("tells two images apart", () => {
    const seed = (url: string) =>
      conversationSeed(decodeChat({ messages: [{ role: "user", content: [{ type: "image_url", image_url: url }] }] }))
    expect(seed("https://e.com/a")).not.toBe(seed("https://e.com/b"))
  })
})

describe("what a client names its conversation", () => {
  const responsesKey = (body: JsonObject, headers: Record<string, string> = {}) => {
    const { cacheKey, sessionGroup } = decodeResponses({ input: "hi", ...body }, headers)
    return { cacheKey, sessionGroup }
  }

  test.each([
    "thread-id",
    "thread_id",
    "conversation_id",
    "session-id",
    "session_id",
    "x-session-id",
    "x-session-affinity",
  ])("%s names it in both dialects, an empty one does not", header => {
    const chat = (value: string) => decodeChat({ messages: [{ role: "user", content: "hi" }] }, { [header]: value })
    expect(responsesKey({}, { [header]: "s1" })).toEqual({ cacheKey: "s1", sessionGroup: undefined })
    expect(responsesKey({}, { [header]: " " }).cacheKey).toBeUndefined()
    expect(chat("s1").cacheKey).toBe("s1")
    expect(chat("").cacheKey).toBeUndefined()
  })

  test("the narrowest name wins, and the session it stands in is its group", () => {
    const headers = { "thread-id": "t", "session-id": "s" }
    expect(responsesKey({}, headers)).toEqual({ cacheKey: "t", sessionGroup: "s" })
    expect(responsesKey({ prompt_cache_key: "p" }, headers)).toEqual({ cacheKey: "p", sessionGroup: "s" })
    expect(responsesKey({ prompt_cache_key: "" }, headers)).toEqual({ cacheKey: "t", sessionGroup: "s" })
    expect(responsesKey({ prompt_cache_key: "s" }, headers)).toEqual({ cacheKey: "s", sessionGroup: undefined })
    expect(responsesKey({ prompt_cache_key: "p" })).toEqual({ cacheKey: "p", sessionGroup: undefined })
  })

  test("client_metadata stands in for headers that a frame cannot carry", () => {
    const metadata = { client_metadata: { session_id: "s", thread_id: "t" } }
    expect(responsesKey(metadata)).toEqual({ cacheKey: "t", sessionGroup: "s" })
    expect(responsesKey(metadata, { "session-id": "h", "thread-id": "u" })).toEqual({
      cacheKey: "u",
      sessionGroup: "h",
    })
  })

  test("a user is a hint: two conversations of one user are two", () => {
    const seed = (content: string) => conversationSeed(decodeChat({ user: "u", messages: [{ role: "user", content }] }))
    expect(seed("hi")).not.toBe(seed("ho"))
  })
})

describe("a seed made from content", () => {
  const tool = (name: string) => ({ type: "function", name })
  const seedOf = (body: JsonObject, slug?: string) => conversationSeed(decodeResponses({ input: "hi", ...body }), slug)

  test("keeps models of one family together and tells families apart", () => {
    expect(seedOf({}, "gpt-5.6-sol")).toBe(seedOf({}, "gpt-5.6-luna"))
    expect(seedOf({}, "gpt-5.6-sol")).not.toBe(seedOf({}, "gpt-5.5"))
    expect(seedOf({}, "house-model")).not.toBe(seedOf({}, "house-other"))
  })

  test("differs by the names of the tools, in both forms of a body", () => {
    expect(seedOf({ tools: [tool("a")] })).not.toBe(seedOf({ tools: [tool("b")] }))
    expect(seedOf({ tools: [tool("a")] })).not.toBe(seedOf({}))
    const chat = (name: string) =>
      conversationSeed(
        decodeChat({
          messages: [{ role: "user", content: "hi" }],
          tools: [{ type: "function", function: { name } }],
        }),
      )
    expect(chat("a")).not.toBe(chat("b"))
  })

  test("takes no more than a page of each part, and still tells one template's prompts apart", () => {
    const page = "x".repeat(100_000)
    const seed = seedOf({ instructions: page, input: `${page} one` })
    expect(seed.length).toBeLessThan(5_000)
    expect(seedOf({ instructions: page, input: `${page} two` })).not.toBe(seed)
    expect(seedOf({ instructions: `${page} more`, input: `${page} one` })).toBe(seed)
  })
})

describe("the key of a conversation", () => {
  test("looks like a UUID and depends on seed and client key alone", () => {
    const key = conversationKey("seed", "key-1")
    expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(conversationKey("seed", "key-1")).toBe(key)
    expect(conversationKey("seed", "key-2")).not.toBe(key)
    expect(conversationKey("seed2", "key-1")).not.toBe(key)
  })

  test("does not confuse the end of the client key with the start of the seed", () => {
    expect(conversationKey("b\nseed", "a")).not.toBe(conversationKey("seed", "a\nb"))
  })
})
