import { describe, expect, test } from "bun:test"

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
