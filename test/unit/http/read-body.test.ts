import { describe, expect, test } from "bun:test"
import { deflateSync } from "node:zlib"

import { systemTimers } from "#core/clock.ts"
import type { GatewayError } from "#core/errors.ts"
import { readJsonBody } from "#http/read-body.ts"

const limits = { maxBytes: 1000, timeoutMs: 1000, timers: systemTimers }

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://gateway.test/v1/responses", { method: "POST", body, headers })
}

async function refusal(request: Request): Promise<GatewayError> {
  try {
    await readJsonBody(request, limits)
  } catch (error) {
    return error as GatewayError
  }
  throw new Error("the body was accepted")
}

describe("reading a request body", () => {
  test("a JSON object is returned as it is", async () => {
    expect(await readJsonBody(post('{"a":"ü"}'), limits)).toEqual({ a: "ü" })
  })

  test.each([
    ["gzip", Bun.gzipSync('{"a":1}')],
    ["deflate", deflateSync('{"a":1}')],
    ["deflate", Bun.deflateSync('{"a":1}')],
    ["zstd", Bun.zstdCompressSync('{"a":1}')],
  ])("a body compressed with %s is decoded", async (encoding, bytes) => {
    expect(await readJsonBody(post(new Uint8Array(bytes), { "content-encoding": encoding }), limits)).toEqual({ a: 1 })
  })

  test.each([
    ["", "invalid_json"],
    ["{", "invalid_json"],
    ["[1]", "invalid_json"],
    ['"text"', "invalid_json"],
    ["null", "invalid_json"],
  ])("%p is refused as %s", async (text, code) => {
    expect(await refusal(post(text))).toMatchObject({ kind: "invalid-request", code })
  })

  test("bytes that are not UTF-8 are refused instead of being replaced", async () => {
    expect((await refusal(post(new Uint8Array([0x7b, 0xff, 0x7d])))).kind).toBe("invalid-request")
  })

  test("a body over the limit is refused, stated or not", async () => {
    expect((await refusal(post(`{"a":"${"x".repeat(2000)}"}`))).kind).toBe("request-too-large")
    const unstated = new ReadableStream({
      pull: controller => controller.enqueue(new Uint8Array(300)),
    })
    expect((await refusal(post(unstated))).kind).toBe("request-too-large")
  })

  test("a small body that unpacks to a large one is refused", async () => {
    const bomb = Bun.gzipSync(`{"a":"${"x".repeat(100_000)}"}`)
    expect((await refusal(post(new Uint8Array(bomb), { "content-encoding": "gzip" }))).kind).toBe("request-too-large")
  })

  test("an unknown encoding is named", async () => {
    expect((await refusal(post("{}", { "content-encoding": "br" }))).kind).toBe("unsupported-encoding")
  })

  test("broken compressed data is the client's mistake", async () => {
    expect((await refusal(post("not gzip", { "content-encoding": "gzip" }))).kind).toBe("invalid-request")
  })

  test("a body that stops coming is given up", async () => {
    const stalled = new ReadableStream({ start: controller => controller.enqueue(new Uint8Array([0x7b])) })
    const fire: (() => void)[] = []
    const timers = {
      ...systemTimers,
      after: (_: number, run: () => void) => {
        fire.push(run)
        return () => {}
      },
    }
    const reading = readJsonBody(post(stalled), { ...limits, timers })
    await Bun.sleep(0)
    for (const run of fire) run()
    expect(reading).rejects.toMatchObject({ kind: "request-timeout" })
  })

  test("a limit of 0 waits for as long as it takes", async () => {
    const body = new ReadableStream({
      start: async controller => {
        controller.enqueue(new TextEncoder().encode('{"a":'))
        await Bun.sleep(5)
        controller.enqueue(new TextEncoder().encode("1}"))
        controller.close()
      },
    })
    expect(await readJsonBody(post(body), { ...limits, timers: systemTimers, timeoutMs: 0 })).toEqual({ a: 1 })
  })
})
