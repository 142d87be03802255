import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { GatewayError } from "#core/errors.ts"
import { readBody } from "#transport/read-body.ts"

import { makeManualTime } from "../../support/manual-timers.ts"

const never = new AbortController().signal
const { timers } = makeManualTime()
const options = { timers, deadlineMs: 1000, signal: never }

/** Gives the chunks, then does what `end` says. */
function bodyOf(chunks: readonly Uint8Array[], end: "close" | "error" | "hang", onCancel = () => {}) {
  let next = 0
  return new ReadableStream<Uint8Array>(
    {
      pull: async controller => {
        const chunk = chunks[next++]
        if (chunk !== undefined) controller.enqueue(chunk)
        else if (end === "close") controller.close()
        else if (end === "error") controller.error(new TypeError("reset"))
        else await new Promise<void>(() => undefined)
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  )
}

describe("reading an error body", () => {
  test("any chunk border gives the same text", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.array(fc.nat(40)), async (text, cuts) => {
        const bytes = new TextEncoder().encode(text)
        const borders = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const chunks = borders.slice(1).map((end, index) => bytes.subarray(borders[index], end))
        expect(await readBody(bodyOf(chunks, "close"), options)).toEqual({ text, complete: true })
      }),
    )
  })

  test("no body is an empty text", async () => {
    expect(await readBody(undefined, options)).toEqual({ text: "", complete: true })
  })

  test("beyond the cap it is cut and the connection is let go", async () => {
    let cancelled = false
    const body = bodyOf([new Uint8Array(6).fill(97), new Uint8Array(6).fill(98)], "hang", () => {
      cancelled = true
    })
    expect(await readBody(body, { ...options, maxBytes: 10 })).toEqual({ text: "aaaaaabbbb", complete: false })
    expect(cancelled).toBe(true)
  })

  test("exactly the cap is whole", async () => {
    const body = bodyOf([new Uint8Array(10).fill(97)], "close")
    expect((await readBody(body, { ...options, maxBytes: 10 })).complete).toBe(true)
  })

  test("a reset keeps what came before it", async () => {
    const body = bodyOf([new TextEncoder().encode('{"error":')], "error")
    expect(await readBody(body, options)).toEqual({ text: '{"error":', complete: false })
  })

  test("the deadline keeps what came before it", async () => {
    const time = makeManualTime()
    const reading = readBody(bodyOf([new TextEncoder().encode("half")], "hang"), { ...options, timers: time.timers })
    await time.advanceAsync(1000)
    expect(await reading).toEqual({ text: "half", complete: false })
    expect(time.waiting()).toEqual([])
  })

  test("a client that leaves ends the reading", async () => {
    const client = new AbortController()
    const reading = readBody(bodyOf([], "hang"), { ...options, signal: client.signal })
    client.abort()
    const outcome = await reading.catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(GatewayError)
    expect(outcome).toMatchObject({ kind: "cancelled" })
  })
})
