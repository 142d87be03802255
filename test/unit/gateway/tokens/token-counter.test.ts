/** Counting tokens: on a thread, in bounded time, and by size where there is no text. */

import { afterAll, describe, expect, test } from "bun:test"

import { systemTimers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { countTexts } from "#gateway/tokens/count-texts.ts"
import { openTokenWorker } from "#gateway/tokens/open-token-worker.ts"
import { makeTokenCounter } from "#gateway/tokens/token-counter.ts"
import { estimateInputTokens } from "#protocols/estimate-tokens.ts"
import { imageTokens } from "#protocols/image-tokens.ts"
import { measureResponsesRequest } from "#protocols/openai-responses/measure-request.ts"

import { decodeMessagesBody, toUpstream, user } from "../../protocols/anthropic-messages/messages-kit.ts"

const counter = makeTokenCounter({ timers: systemTimers, openWorker: openTokenWorker })
afterAll(() => counter.stop())

/** A PNG header of the given size; the rest does not matter. */
function png(width: number, height: number): string {
  const head = Buffer.alloc(24)
  head.write("\x89PNG\r\n\x1a\n", "latin1")
  head.writeUInt32BE(width, 16)
  head.writeUInt32BE(height, 20)
  return `data:image/png;base64,${head.toString("base64")}`
}

describe("texts", () => {
  test("are counted by the upstream's own table, control words like any others", async () => {
    expect(await counter.count(["hello world", "", "<|endoftext|>", "hello world"])).toEqual([2, 0, 7, 2])
  })

  test("are counted together with others that are asked for at the same time", async () => {
    const long = "a word or two. ".repeat(200)
    const all = await Promise.all(Array.from({ length: 25 }, () => counter.count([long, "x"])))
    expect(new Set(all.map(counts => JSON.stringify(counts))).size).toBe(1)
    expect(await counter.count([long])).toEqual([all[0]?.[0] ?? 0])
  })

  test("a thread that fails is replaced, and whoever waited is told", async () => {
    const dead = makeTokenCounter({
      timers: systemTimers,
      openWorker: () => {
        const worker = openTokenWorker()
        worker.postMessage = () => worker.dispatchEvent(new Event("error"))
        return worker
      },
    })
    expect(await dead.count(["hello"]).catch((cause: unknown) => cause)).toBeInstanceOf(GatewayError)
  })

  test("without blanks do not take for ever, and long ones are judged by samples", () => {
    const seen: number[] = []
    const count = (text: string) => {
      seen.push(text.length)
      return Math.ceil(text.length / 4)
    }
    expect(countTexts(["a".repeat(100_000)], count)[0]).toBeCloseTo(25_000, -2)
    expect(Math.max(...seen)).toBeLessThanOrEqual(256)
    seen.length = 0
    expect(countTexts(["word ".repeat(400_000)], count)[0]).toBeCloseTo(500_000, -4)
    expect(seen.reduce((sum, length) => sum + length, 0)).toBeLessThan(200_000)
  })
})

describe("requests", () => {
  test("69: an image counts by its size, whatever its bytes", () => {
    expect(imageTokens(png(750, 100))).toBe(100)
    expect(imageTokens(png(5000, 5000))).toBe(1600)
    expect(imageTokens(`data:image/x;base64,${"A".repeat(5_000_000)}`)).toBe(1600)
    const data = Buffer.concat([
      Buffer.from(png(100, 75).split(",")[1] ?? "", "base64"),
      Buffer.alloc(3_000_000),
    ]).toString("base64")
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data } }
    const { texts, fixedTokens } = measureResponsesRequest(toUpstream({ messages: [user([image])] }))
    expect(texts.join("").length).toBeLessThan(100)
    expect(fixedTokens).toBeLessThan(50)
  })

  test("tools, instructions, calls and results are all counted", () => {
    const messages = [
      user("question"),
      { role: "assistant", content: [{ type: "tool_use", id: "t", name: "look", input: { where: "there" } }] },
      user([{ type: "tool_result", tool_use_id: "t", content: "result" }]),
    ]
    const tools = [{ name: "look", description: "looks", input_schema: { type: "object" } }]
    const { texts } = measureResponsesRequest(toUpstream({ messages, tools, system: "guidance" }))
    for (const word of ["question", "there", "result", "looks", "guidance"]) expect(texts.join()).toContain(word)
  })

  test("the quick estimate comes near the count for prose, code, data and other scripts", async () => {
    const samples = [
      "The quick brown fox jumps over the lazy dog, and nobody minds. ".repeat(40),
      "export function add(left: number, right: number): number {\n  return left + right\n}\n".repeat(40),
      JSON.stringify(Array.from({ length: 80 }, (_, index) => ({ id: index, name: `item ${index}`, ok: true }))),
      "今天天气很好，我们一起去公园散步吧。".repeat(60),
    ]
    const counts = await counter.count(samples)
    for (const [index, sample] of samples.entries()) {
      const estimate = estimateInputTokens(decodeMessagesBody({ messages: [user(sample)] }))
      const ratio = estimate / (counts[index] ?? 1)
      expect({ index, isNear: ratio > 0.6 && ratio < 1.7 }).toEqual({ index, isNear: true })
    }
  })
})
