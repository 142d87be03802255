/** Every answer, however the upstream tells it, in both dialects. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { arrayAt, isJsonObject, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

import { foldChatStream } from "../../support/chat-invariants.ts"
import { makeContext } from "../../support/scenarios.ts"
import { readEvents } from "../../support/sse.ts"
import {
  type Answer,
  answers,
  CLIENT_NAMES,
  type Ending,
  LONG_NAME,
  SHORTENED,
  serveChat,
  serveResponses,
} from "./answer-kit.ts"

const NAMES = { [SHORTENED]: LONG_NAME }
const GOOD: readonly Ending[] = ["completed", "done", "incomplete"]
const WHOLE: readonly Ending[] = ["completed", "done"]
const FAILED: readonly Ending[] = ["failed", "error", "error-and-failed", "cut"]

const plain = makeContext({}, NAMES)
const withUsage = makeContext({ includeUsage: true }, NAMES)
const codex = makeContext({ codexClient: true }, NAMES)

/** A Chat stream taken apart. */
type Chat = {
  readonly answer: Answer
  readonly frames: readonly string[]
  readonly chunks: readonly JsonObject[]
  readonly errors: readonly JsonObject[]
  readonly choices: readonly JsonObject[]
  readonly deltas: readonly JsonObject[]
}

function readChat(answer: Answer, context = plain): Chat {
  const frames = readEvents(serveChat(answer.bytes, context).stream).map(frame => frame.data)
  const objects = frames.filter(data => data !== "[DONE]").map((data): JsonObject => JSON.parse(data))
  const chunks = objects.filter(object => object["error"] === undefined)
  const choices = chunks.flatMap(chunk => (arrayAt(chunk, "choices") ?? []).filter(isJsonObject))
  return {
    answer,
    frames,
    chunks,
    errors: objects.filter(object => object["error"] !== undefined),
    choices,
    deltas: choices.map(choice => objectAt(choice, "delta") ?? {}),
  }
}

/** Checks a property of Chat streams. */
function chat(check: (stream: Chat) => void, endings?: readonly Ending[], context = plain): void {
  fc.assert(
    fc.property(answers(endings), answer => check(readChat(answer, context))),
    { numRuns: 200 },
  )
}

/** Fragments of calls, by index, in order of first sight. */
function callsOf({ deltas }: Chat): ReadonlyMap<number, readonly JsonObject[]> {
  const fragments = deltas.flatMap(delta => (arrayAt(delta, "tool_calls") ?? []).filter(isJsonObject))
  return Map.groupBy(fragments, fragment => numberAt(fragment, "index") ?? -1)
}

function namedPart(fragment: JsonObject | undefined): JsonObject {
  return objectAt(fragment ?? {}, "function") ?? objectAt(fragment ?? {}, "custom") ?? {}
}

function finishReasons({ choices }: Chat): readonly unknown[] {
  return choices.map(choice => choice["finish_reason"]).filter(reason => reason !== null)
}

describe("a Chat stream", () => {
  test("1: has chunks only, and in the end at most one error", () => {
    chat(({ frames, chunks, errors }) => {
      expect(chunks.every(chunk => chunk["object"] === "chat.completion.chunk")).toBe(true)
      expect(errors.length).toBeLessThanOrEqual(1)
      if (errors.length === 1) expect(frames.at(-1)).toBe(JSON.stringify(errors[0]))
    })
  })

  test("2: has one id, time and model", () => {
    chat(({ chunks }) => {
      for (const key of ["id", "created", "model"]) {
        expect(new Set(chunks.map(chunk => chunk[key])).size).toBeLessThanOrEqual(1)
      }
      for (const { id, created, model } of chunks) {
        expect(id).toMatch(/^chatcmpl-./)
        expect(Number.isInteger(created) && Number(created) > 1e9 && Number(created) < 1e10).toBe(true)
        expect(model).toBe("my-alias")
      }
    })
  })

  test("3: names the role first and never again", () => {
    chat(({ deltas }) => {
      expect(deltas.map(delta => delta["role"])).toEqual(deltas.map((_, at) => (at === 0 ? "assistant" : undefined)))
    })
  })

  test("4: has one choice a chunk, but for a last chunk with usage", () => {
    for (const context of [plain, withUsage]) {
      chat(
        ({ chunks }) => {
          const counts = chunks.map(chunk => arrayAt(chunk, "choices")?.length)
          const others = counts.flatMap((count, at) => (count === 1 ? [] : [at]))
          expect(others.length).toBeLessThanOrEqual(context.reply.includeUsage ? 1 : 0)
          for (const at of others) {
            expect([at, counts[at]]).toEqual([chunks.length - 1, 0])
            expect(objectAt(chunks[at] ?? {}, "usage")).toBeDefined()
          }
        },
        undefined,
        context,
      )
    }
  })

  test("5: gives every choice index 0 and a delta", () => {
    chat(({ choices }) => {
      for (const choice of choices) expect([choice["index"], isJsonObject(choice["delta"])]).toEqual([0, true])
    })
  })

  test("6: finishes once when it is good and never when it failed", () => {
    chat(stream => {
      const reasons = finishReasons(stream)
      expect(reasons).toHaveLength(stream.errors.length === 1 ? 0 : 1)
      for (const reason of reasons) {
        expect(["stop", "length", "tool_calls", "content_filter", "function_call"]).toContain(String(reason))
      }
      if (reasons.length === 1) expect(stream.choices.at(-1)?.["finish_reason"]).toBe(reasons[0] as string)
    })
  })

  test("7: says nothing after the finish", () => {
    chat(({ deltas }) => expect(deltas.at(-1)).toEqual({}), GOOD)
  })

  test("8: counts calls from 0 in order of appearance", () => {
    chat(stream => {
      const calls = callsOf(stream)
      expect([...calls.keys()]).toEqual([...calls.keys()].map((_, at) => at))
    })
  })

  test("9: tells the identity of a call once, and no two calls share an id", () => {
    chat(stream => {
      const calls = [...callsOf(stream).values()]
      for (const [first, ...rest] of calls) {
        expect([first?.["id"], namedPart(first)["name"]]).toEqual([
          expect.stringMatching(/^call_/),
          expect.stringMatching(/./),
        ])
        expect(["function", "custom"]).toContain(String(first?.["type"]))
        for (const fragment of rest) {
          expect([fragment["id"], fragment["type"], namedPart(fragment)["name"]]).toEqual([
            undefined,
            undefined,
            undefined,
          ])
        }
      }
      expect(new Set(calls.map(([first]) => first?.["id"])).size).toBe(calls.length)
    })
  })

  test("10: gives functions arguments that are the upstream's and parse", () => {
    chat(stream => {
      const inputs = new Map<unknown, string>()
      for (const [first, ...rest] of callsOf(stream).values()) {
        if (first?.["type"] !== "function") continue
        inputs.set(
          first["id"],
          [first, ...rest].map(fragment => stringAt(namedPart(fragment), "arguments") ?? "").join(""),
        )
      }
      const expected = stream.answer.items.flatMap((item, at) =>
        item.type === "function_call" ? [[`call_${at}`, item.input] as const] : [],
      )
      expect(inputs).toEqual(new Map(expected))
      for (const input of inputs.values()) expect(isJsonObject(JSON.parse(input))).toBe(true)
    }, WHOLE)
  })

  test("11: finishes with tool_calls exactly when a completed answer has calls", () => {
    chat(stream => {
      const isWhole = WHOLE.includes(stream.answer.ending)
      expect(finishReasons(stream)[0] === "tool_calls").toBe(isWhole && callsOf(stream).size > 0)
    }, GOOD)
  })

  test("12: has no empty lists, nulls or empty texts beyond the opening ones", () => {
    chat(stream => {
      for (const delta of stream.deltas.slice(1)) {
        for (const value of Object.values(delta)) expect([null, ""]).not.toContain(value as null)
        expect(arrayAt(delta, "tool_calls")?.length).not.toBe(0)
      }
      const later = [...callsOf(stream).values()].flatMap(([, ...rest]) => rest.map(namedPart))
      for (const named of later) expect(Object.values(named)).not.toContain("")
    })
  })

  test("13: has usage null but once when it was asked for, and no such key otherwise", () => {
    chat(
      ({ chunks }) => {
        const usages = chunks.map(chunk => chunk["usage"])
        expect(usages.slice(0, -1).every(usage => usage === null)).toBe(true)
        expect(isJsonObject(usages.at(-1))).toBe(true)
      },
      GOOD,
      withUsage,
    )
    chat(({ chunks }) => expect(chunks.some(chunk => "usage" in chunk)).toBe(false))
  })

  test("14: has usage that adds up", () => {
    chat(
      ({ chunks }) => {
        expect(chunks.at(-1)?.["usage"]).toEqual({
          prompt_tokens: 30,
          completion_tokens: 20,
          total_tokens: 50,
          prompt_tokens_details: { cached_tokens: 10 },
          completion_tokens_details: { reasoning_tokens: 0 },
        })
      },
      GOOD,
      withUsage,
    )
  })

  test("15: ends with [DONE] when it is good and with the error when it failed", () => {
    chat(({ frames, errors }) => {
      expect(errors).toHaveLength(0)
      expect(frames.indexOf("[DONE]")).toBe(frames.length - 1)
    }, GOOD)
    chat(({ frames, errors }) => {
      expect(errors).toHaveLength(1)
      expect(frames).not.toContain("[DONE]")
    }, FAILED)
  })

  test("16: has the text of all messages, set apart by a blank line where neither brings a line break", () => {
    chat(({ answer, deltas }) => {
      const texts = answer.items.flatMap(item =>
        item.type === "message" && !item.refusal && item.text !== "" ? [item.text] : [],
      )
      const expected = texts.reduce((before, next) => `${before}${separatorOf(before, next)}${next}`, "")
      expect(deltas.map(delta => stringAt(delta, "content") ?? "").join("")).toBe(expected)
      const refusals = answer.items.flatMap(item => (item.type === "message" && item.refusal ? [item.text] : []))
      expect(deltas.map(delta => stringAt(delta, "refusal") ?? "").join("")).toBe(refusals.join(""))
    }, GOOD)
  })

  test("17: calls tools by the client's own names", () => {
    chat(stream => {
      for (const [first] of callsOf(stream).values())
        expect(CLIENT_NAMES.has(String(namedPart(first)["name"]))).toBe(true)
    })
  })

  test("18: folds into the answer that is not streamed", () => {
    fc.assert(
      fc.property(answers(), ({ bytes }) => {
        const { stream, body } = serveChat(bytes, withUsage)
        const isFailed = stream.includes('data: {"error"')
        expect(body === undefined).toBe(isFailed)
        if (body !== undefined) expect(foldChatStream(stream)).toEqual(body)
      }),
      { numRuns: 300 },
    )
  })

  test("19: does not depend on where the upstream's bytes are cut", () => {
    fc.assert(
      fc.property(answers(), fc.array(fc.nat(5000), { maxLength: 6 }), ({ bytes }, cuts) => {
        expect(serveChat(bytes, plain, cuts)).toEqual(serveChat(bytes, plain))
      }),
      { numRuns: 300 },
    )
  })
})

function separatorOf(before: string, next: string): string {
  return before === "" || before.endsWith("\n") || next.startsWith("\n") ? "" : "\n\n"
}

type Event = { readonly event: string; readonly json: JsonObject; readonly type: string }

/** Checks a property of Responses streams. */
function responses(
  check: (events: readonly Event[], answer: Answer) => void,
  endings?: readonly Ending[],
  context = plain,
): void {
  fc.assert(
    fc.property(answers(endings), answer => {
      const frames = readEvents(serveResponses(answer.bytes, context).stream)
      const events = frames.map(({ event, data }): Event => {
        const json: JsonObject = JSON.parse(data)
        return { event, json, type: stringAt(json, "type") ?? "" }
      })
      check(events, answer)
    }),
    { numRuns: 200 },
  )
}

const TERMINAL = ["response.completed", "response.incomplete", "response.failed", "error"]

function itemEvents(events: readonly Event[], type: string): readonly JsonObject[] {
  return events.filter(event => event.type === `response.output_item.${type}`).map(event => event.json)
}

describe("a Responses stream", () => {
  test("27: begins with response.created and ends with its one terminal event", () => {
    for (const context of [plain, codex]) {
      responses(
        events => {
          expect(events[0]?.type).toBe("response.created")
          expect(events.filter(event => TERMINAL.includes(event.type))).toEqual(events.slice(-1))
        },
        undefined,
        context,
      )
    }
  })

  test("28: names each event by its type, and its numbers rise", () => {
    responses(events => {
      expect(events.map(({ event }) => event)).toEqual(events.map(({ type }) => type))
      const numbers = events.flatMap(({ json }) => json["sequence_number"] ?? [])
      expect(numbers.every((number, at) => at === 0 || Number(number) > Number(numbers[at - 1]))).toBe(true)
    })
  })

  test("29: finishes every announced item under the same index, type and call id", () => {
    responses(events => {
      const done = new Map(itemEvents(events, "done").map(json => [json["output_index"], objectAt(json, "item")]))
      for (const json of itemEvents(events, "added")) {
        const item = objectAt(json, "item")
        const final = done.get(json["output_index"])
        expect([final?.["type"], final?.["call_id"]]).toEqual([item?.["type"], item?.["call_id"]])
      }
    }, GOOD)
  })

  test("30: ends with the finished items, in their order", () => {
    responses((events, { items }) => {
      const output = arrayAt(objectAt(events.at(-1)?.json ?? {}, "response") ?? {}, "output") ?? []
      const types = (list: readonly unknown[]) => list.map(item => (isJsonObject(item) ? item["type"] : undefined))
      expect(types(output)).toEqual(items.map(item => item.type))
      expect(types(output)).toEqual(
        types(
          itemEvents(events, "done")
            .toSorted(byIndex)
            .map(json => json["item"]),
        ),
      )
    }, GOOD)
  })

  test("31: has usage whose details are integers", () => {
    responses(events => {
      const usage = objectAt(objectAt(events.at(-1)?.json ?? {}, "response") ?? {}, "usage") ?? {}
      expect(usage).toMatchObject({
        input_tokens_details: { cached_tokens: 10 },
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 50,
      })
    }, GOOD)
  })

  test("32: has an error key on error events only, and none nested in them", () => {
    for (const context of [plain, codex]) {
      responses(events => expect(events.some(({ json }) => "error" in json)).toBe(false), undefined, context)
    }
  })

  test("33: shows private events to Codex clients only", () => {
    const isPrivate = ({ type }: Event) => type.startsWith("codex.") || type === "response.metadata"
    responses(events => expect(events.some(isPrivate)).toBe(false))
  })

  test("34: ends with the body of the client that does not stream", () => {
    fc.assert(
      fc.property(answers(), ({ bytes }) => {
        const { stream, body } = serveResponses(bytes, plain)
        const last: JsonObject = JSON.parse(readEvents(stream).at(-1)?.data ?? "{}")
        const isGood = last["type"] === "response.completed" || last["type"] === "response.incomplete"
        expect(body).toEqual(isGood ? objectAt(last, "response") : undefined)
      }),
      { numRuns: 300 },
    )
  })

  test("17: calls tools by the client's own names in every event", () => {
    responses(events => {
      for (const { json } of events) expect(JSON.stringify(json)).not.toContain(`"${SHORTENED}"`)
    })
  })

  test("19: does not depend on where the upstream's bytes are cut", () => {
    fc.assert(
      fc.property(answers(), fc.array(fc.nat(5000), { maxLength: 6 }), ({ bytes }, cuts) => {
        expect(serveResponses(bytes, plain, cuts)).toEqual(serveResponses(bytes, plain))
      }),
      { numRuns: 300 },
    )
  })
})

function byIndex(left: JsonObject, right: JsonObject): number {
  return Number(left["output_index"]) - Number(right["output_index"])
}
