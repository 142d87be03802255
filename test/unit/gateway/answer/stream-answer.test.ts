import { describe, expect, test } from "bun:test"

import { GatewayError } from "#core/errors.ts"
import type { AccountId, RequestId } from "#core/ids.ts"
import { makeHeartbeat } from "#gateway/answer/heartbeat.ts"
import { makeAnswerStream } from "#gateway/answer/stream-answer.ts"
import type { RequestEnd } from "#gateway/turn/settle.ts"
import type { CommittedTurn } from "#gateway/turn/turn-types.ts"
import type { AnswerState, StreamPipe } from "#protocols/protocol.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined) => new TextDecoder().decode(value)

/** A pipe that passes chunks on and finishes at "END". */
function echoPipe(): StreamPipe {
  let state: AnswerState = { finished: false }
  return {
    feed: chunk => {
      if (text(chunk) === "END") state = { finished: true }
      return chunk
    },
    end: () => {
      state = { finished: true, error: new GatewayError("upstream-protocol", "cut", { code: "upstream_stream_break" }) }
      return bytes("FAILED")
    },
    fail: error => bytes(`FAILED ${error.kind}`),
    keepAlive: () => bytes("PING"),
    state: () => state,
  }
}

function setUp(upstream: ReadableStream<Uint8Array>, chunks: readonly Uint8Array[] = []) {
  let nowMs = 1_000_000
  const beats: (() => void)[] = []
  const afters: (() => void)[] = []
  const timers = {
    after: (_: number, run: () => void) => {
      afters.push(run)
      return () => {}
    },
    every: (_: number, run: () => void) => {
      beats.push(run)
      return () => {}
    },
  }
  const clock = () => nowMs
  const heartbeat = makeHeartbeat({ clock, timers })
  const ends: RequestEnd[] = []
  let released = 0
  const abort = new AbortController()
  const committed: CommittedTurn = {
    lease: { account: "acc_1" as AccountId, acquiredAtMs: 0, release: () => void released++ },
    account: "acc_1" as AccountId,
    reader: upstream.getReader(),
    chunks,
    headers: new Headers(),
    context: {
      requestId: "req_1" as RequestId,
      model: "m",
      nowSec: 1,
      clock,
      startedAtMs: 0,
      toolNames: new Map(),
      estimateInputTokens: () => 1,
      reply: { includeUsage: false, legacyFunctions: false, customAsFunction: false, codexClient: false },
    },
    startedAtMs: 0,
    firstOutputMs: 0,
    abort: () => {},
    answer: { readFailure: () => new GatewayError("internal", "unused") },
  }
  let succeeded = 0
  const open = (turn: Promise<CommittedTurn> = Promise.resolve(committed), headersFirst = false) =>
    makeAnswerStream({
      clock,
      timers,
      heartbeat,
      limits: { idleTimeoutMs: 300_000, clientKeepaliveMs: 15_000 },
      settler: {
        lane: () => {},
        planned: () => {},
        dispatched: () => {},
        failed: () => {},
        explained: () => {},
        firstByte: () => {},
        end: end => void ends.push(end),
      },
      committed: turn,
      headersFirst,
      openPipe: echoPipe,
      openFailurePipe: echoPipe,
      waiting: () => new TextEncoder().encode(": keepalive\n\n"),
      abort,
      succeeded: () => void succeeded++,
    })
  const advance = (ms: number) => {
    nowMs += ms
    for (const beat of beats) beat()
  }
  return {
    open,
    advance,
    ends,
    abort,
    committed,
    heartbeat,
    fireTimers: () => {
      for (const run of afters) run()
    },
    released: () => released,
    succeeded: () => succeeded,
  }
}

function streamOf(...parts: readonly string[]): ReadableStream<Uint8Array> {
  const queue = [...parts]
  return new ReadableStream({
    pull: controller => {
      const next = queue.shift()
      if (next === undefined) controller.close()
      else controller.enqueue(bytes(next))
    },
  })
}

/** A stream that never says anything more. */
const silent = () => new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) })

describe("the stream a client reads", () => {
  test("held chunks come first, then the upstream's, then a polite end and one settlement", async () => {
    const setup = setUp(streamOf("b", "END"), [bytes("a")])
    expect(await new Response(setup.open()).text()).toBe("abEND")
    expect(setup.ends).toMatchObject([{ status: 200, isUsageEstimated: true }])
    expect([setup.succeeded(), setup.heartbeat.size()]).toEqual([1, 0])
    expect(setup.released()).toBeGreaterThan(0)
  })

  test("nothing is read from the upstream before the client asks", async () => {
    let pulled = 0
    const upstream = new ReadableStream<Uint8Array>(
      {
        pull: controller => {
          pulled += 1
          controller.enqueue(bytes("x"))
        },
      },
      { highWaterMark: 0 },
    )
    const reader = setUp(upstream).open().getReader()
    await Bun.sleep(1)
    expect(pulled).toBe(0)
    await reader.read()
    expect(pulled).toBe(1)
    await Bun.sleep(1)
    expect(pulled).toBe(1)
  })

  test("an upstream that ends early gives the dialect's failure, then a reset instead of an end", async () => {
    const setup = setUp(streamOf("a"))
    const reader = setup.open().getReader()
    expect(text((await reader.read()).value)).toBe("a")
    expect(text((await reader.read()).value)).toBe("FAILED")
    const next = reader.read()
    setup.fireTimers()
    expect(next).rejects.toMatchObject({ code: "upstream_stream_break" })
    expect(setup.ends).toMatchObject([{ status: 502 }])
    expect(setup.succeeded()).toBe(0)
  })

  test("a turn that fails after the headers went out is said inside the stream", async () => {
    const setup = setUp(silent())
    const reader = setup.open(Promise.reject(new GatewayError("no-account", "none"))).getReader()
    expect(text((await reader.read()).value)).toBe("FAILED no-account")
    expect(setup.ends).toMatchObject([{ status: 503 }])
  })

  test("headers that go out before an account has answered bring a comment along at once", async () => {
    const setup = setUp(streamOf("END"), [bytes("a")])
    expect(await new Response(setup.open(undefined, true)).text()).toMatch(/^:.*\n\naEND$/)
  })

  test("before an account has answered, the keep-alive is a comment", async () => {
    const setup = setUp(silent())
    const reader = setup.open(new Promise(() => {})).getReader()
    const next = reader.read()
    await Bun.sleep(0)
    setup.advance(15_000)
    expect(text((await next).value)).toStartWith(":")
  })

  test("a client that leaves ends the upstream request and is settled once", async () => {
    const setup = setUp(silent(), [bytes("a")])
    const reader = setup.open().getReader()
    await reader.read()
    await reader.cancel()
    await Bun.sleep(0)
    expect(setup.abort.signal.aborted).toBe(true)
    expect(setup.ends).toMatchObject([{ status: 499 }])
    expect(setup.released()).toBeGreaterThan(0)
  })

  test("a client that leaves before an account was found does not leak the lease that comes later", async () => {
    const setup = setUp(silent())
    const { promise, resolve } = Promise.withResolvers<CommittedTurn>()
    const reader = setup.open(promise).getReader()
    const pending = reader.read()
    await reader.cancel()
    resolve(setup.committed)
    await pending
    await Bun.sleep(0)
    expect(setup.released()).toBeGreaterThan(0)
    expect(setup.ends).toHaveLength(1)
  })
})

test("fault 39: silence is filled with keep-alives, and a long one ends the upstream request", async () => {
  const setup = setUp(silent(), [bytes("a")])
  const reader = setup.open().getReader()
  await reader.read()
  const next = reader.read()
  await Bun.sleep(0)
  setup.advance(14_000)
  setup.advance(1_000)
  expect(text((await next).value)).toBe("PING")
  setup.advance(300_000)
  expect(setup.abort.signal.reason).toMatchObject({ kind: "timeout" })
})

test("fault 44: a client that stops reading is given up after a minute, and its slot is free", async () => {
  const setup = setUp(streamOf("a", "b", "c"))
  const reader = setup.open().getReader()
  await reader.read()
  await Bun.sleep(0)
  setup.advance(60_000)
  expect(setup.ends).toMatchObject([{ status: 499 }])
  expect(setup.abort.signal.aborted).toBe(true)
  expect(setup.released()).toBeGreaterThan(0)
})
