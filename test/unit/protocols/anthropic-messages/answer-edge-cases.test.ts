/** Answers that break clients, one by one: edge cases 36 to 70 of the dialect. */

import { describe, expect, test } from "bun:test"

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"

import { brokenMessagesInvariants, foldMessagesStream } from "../../../support/messages-invariants.ts"
import { messagesContext, type Served, serveMessages } from "./messages-kit.ts"

const HEAD: JsonObject = { id: "resp_1", object: "response", created_at: 1_790_000_000, model: "gpt-5.5" }
const USAGE: JsonObject = { input_tokens: 5, output_tokens: 2, total_tokens: 7 }
const created: JsonObject = { type: "response.created", response: { ...HEAD, status: "in_progress", output: [] } }

function completed(output: readonly Json[] = [], usage: Json = USAGE): JsonObject {
  return { type: "response.completed", response: { ...HEAD, status: "completed", output, usage } }
}

function incomplete(reason?: string): JsonObject {
  const details = reason === undefined ? null : { reason }
  return {
    type: "response.incomplete",
    response: { ...HEAD, status: "incomplete", incomplete_details: details, output: [] },
  }
}

function bytesOf(events: readonly JsonObject[]): Uint8Array {
  return new TextEncoder().encode(
    events.map(event => `event: ${event["type"]}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
  )
}

const textDelta = (delta: string, index = 0): JsonObject => {
  return { type: "response.output_text.delta", output_index: index, content_index: 0, item_id: `msg_${index}`, delta }
}
const messageDone = (text: string, index = 0, part: JsonObject = {}): JsonObject => ({
  type: "response.output_item.done",
  output_index: index,
  item: {
    id: `msg_${index}`,
    type: "message",
    role: "assistant",
    content: [{ type: "output_text", text, annotations: [], ...part }],
  },
})
const callItem = (index: number, args: Json, name = `tool_${index}`): JsonObject => ({
  id: `fc_${index}`,
  type: "function_call",
  call_id: `call_${index}`,
  name,
  arguments: args,
})
const callAdded = (index: number, name?: string): JsonObject => {
  return { type: "response.output_item.added", output_index: index, item: callItem(index, "", name) }
}
const callDelta = (index: number, delta: string): JsonObject => {
  return { type: "response.function_call_arguments.delta", output_index: index, item_id: `fc_${index}`, delta }
}
const callArgs = (index: number, args: string): JsonObject => {
  return { type: "response.function_call_arguments.done", output_index: index, item_id: `fc_${index}`, arguments: args }
}
const callDone = (index: number, args: Json, name?: string): JsonObject => {
  return { type: "response.output_item.done", output_index: index, item: callItem(index, args, name) }
}
const reasoningAdded = (index: number): JsonObject => ({
  type: "response.output_item.added",
  output_index: index,
  item: { id: `rs_${index}`, type: "reasoning", summary: [], encrypted_content: "gAAAA_early" },
})
const summaryDelta = (delta: string, part = 0, index = 0): JsonObject => {
  return {
    type: "response.reasoning_summary_text.delta",
    output_index: index,
    summary_index: part,
    item_id: `rs_${index}`,
    delta,
  }
}
const reasoningDone = (index: number, summaries: readonly string[] = [], sealed = "gAAAA_final"): JsonObject => ({
  type: "response.output_item.done",
  output_index: index,
  item: {
    id: `rs_${index}`,
    type: "reasoning",
    summary: summaries.map(text => ({ type: "summary_text", text })),
    ...(sealed !== "" && { encrypted_content: sealed }),
  },
})
const searchDone = (index: number, action: JsonObject, status = "completed"): JsonObject => {
  return {
    type: "response.output_item.done",
    output_index: index,
    item: { id: `ws_${index}`, type: "web_search_call", status, action },
  }
}
const failed = (code: string): JsonObject => {
  return { type: "response.failed", response: { ...HEAD, status: "failed", error: { code, message: "It failed." } } }
}

/** Serves events, checks what every stream must hold, and that both kinds of client are told the same. */
function serve(...events: readonly JsonObject[]): Served {
  return checked(serveMessages(bytesOf([created, ...events])))
}

function checked(served: Served): Served {
  expect(brokenMessagesInvariants(served.stream)).toEqual([])
  return served
}

function contentOf({ json }: Served): readonly JsonObject[] {
  return (arrayAt(json ?? {}, "content") ?? []).filter(isJsonObject)
}

function kinds(served: Served): readonly (string | undefined)[] {
  return contentOf(served).map(block => stringAt(block, "type"))
}

function stopOf({ events }: Served): Json | undefined {
  return objectAt(events.find(event => event["type"] === "message_delta") ?? {}, "delta")?.["stop_reason"]
}

function typesOf({ events }: Served): readonly (string | undefined)[] {
  return events.map(event => stringAt(event, "type"))
}

describe("beginnings", () => {
  test("36: a quota event before anything else says nothing", () => {
    const quota = { type: "codex.rate_limits", rate_limits: { primary: { used_percent: 3 } } }
    const served = checked(serveMessages(bytesOf([quota, created, textDelta("hi"), completed()])))
    expect(contentOf(served)).toEqual([{ type: "text", text: "hi" }])
  })

  test("42: an item that was never announced is a block all the same", () => {
    expect(kinds(serve(messageDone("hi"), callDone(1, "{}"), completed()))).toEqual(["text", "tool_use"])
  })
})

describe("parallel calls", () => {
  test("37: deltas of three calls that come in turns make three blocks, one after the other", () => {
    const served = serve(
      callAdded(0),
      callAdded(1),
      callAdded(2),
      callDelta(0, '{"a":'),
      callDelta(1, '{"b":'),
      callDelta(2, "{}"),
      callDelta(0, "1}"),
      callDelta(1, "2}"),
      callDone(2, "{}"),
      callDone(1, '{"b":2}'),
      callDone(0, '{"a":1}'),
      completed(),
    )
    expect(contentOf(served).map(block => block["input"])).toEqual([{ a: 1 }, { b: 2 }, {}])
    expect(stopOf(served)).toBe("tool_use")
  })

  test("38: text that comes while a call is open waits for it", () => {
    const served = serve(
      callAdded(0),
      textDelta("later", 1),
      callDelta(0, "{}"),
      callDone(0, "{}"),
      messageDone("later", 1),
      completed(),
    )
    expect(kinds(served)).toEqual(["tool_use", "text"])
  })

  test.each([
    ["arguments.done", [callAdded(0), callArgs(0, '{"a":1}'), completed()]],
    ["the item's end", [callAdded(0), callDone(0, '{"a":1}'), completed()]],
    ["the answer's end", [completed([callItem(0, '{"a":1}')])]],
  ] as const)("39: arguments that stand only in %s are told once", (_, events) => {
    expect(contentOf(serve(...events))).toMatchObject([{ type: "tool_use", input: { a: 1 } }])
  })

  test("40: a full text after its deltas adds nothing", () => {
    const served = serve(
      callAdded(0),
      callDelta(0, '{"a":1}'),
      callArgs(0, '{"a":1}'),
      callDone(0, '{"a":1}'),
      completed(),
    )
    expect(contentOf(served)).toMatchObject([{ input: { a: 1 } }])
  })

  test("41: a second end and what comes after it are ignored", () => {
    const served = serve(
      callAdded(0),
      callDone(0, "{}"),
      callDone(0, "{}"),
      callDelta(0, "{}"),
      textDelta("hi", 1),
      completed(),
    )
    expect(kinds(served)).toEqual(["tool_use", "text"])
  })

  test.each(["", "{}", null])("43: a call with %p as arguments has an empty input, and says so", args => {
    const served = serve(callAdded(0), callDone(0, args), completed())
    expect(contentOf(served)).toMatchObject([{ input: {} }])
    expect(served.stream).toContain('"partial_json":"{}"')
  })

  test("44: a name that comes late is waited for; a call that never gets one is no call", () => {
    const nameless = {
      type: "response.output_item.added",
      output_index: 0,
      item: { id: "fc_0", type: "function_call" },
    }
    const late = serve(nameless, callDelta(0, '{"a":1}'), callDone(0, '{"a":1}'), completed())
    expect(contentOf(late)).toMatchObject([{ name: "tool_0", input: { a: 1 } }])
    const never = serve(nameless, callDelta(0, "{}"), textDelta("hi", 1), messageDone("hi", 1), completed())
    expect(kinds(never)).toEqual(["text"])
    expect(stopOf(never)).toBe("end_turn")
  })

  test("45: text after a call does not hide it", () => {
    expect(stopOf(serve(callDone(0, "{}"), messageDone("done", 1), completed()))).toBe("tool_use")
  })

  test("two calls under one id are told apart", () => {
    const again = { ...callItem(1, "{}"), call_id: "call_0" }
    const second = [
      { type: "response.output_item.added", output_index: 1, item: again },
      { type: "response.output_item.done", output_index: 1, item: again },
    ]
    const ids = contentOf(serve(callAdded(0), callDone(0, "{}"), ...second, completed())).map(block => block["id"])
    expect(ids).toEqual(["call_0", "call_0_2"])
  })

  test("ids of the upstream's own items do not show", () => {
    const { call_id: _, ...anonymous } = callItem(2, "{}")
    const served = serve({ type: "response.output_item.done", output_index: 2, item: anonymous }, completed())
    expect(String(contentOf(served)[0]?.["id"])).toMatch(/^toolu_[0-9a-f]{24}$/)
  })
})

describe("messages and thinking", () => {
  test("46: of two messages the one without deltas is not lost", () => {
    const served = serve(textDelta("one"), messageDone("one"), messageDone("two", 1), completed())
    expect(contentOf(served).map(block => block["text"])).toEqual(["one", "two"])
  })

  test("47: two summaries are one thought with a blank line", () => {
    const served = serve(
      reasoningAdded(0),
      summaryDelta("a"),
      summaryDelta("b", 1),
      reasoningDone(0, ["a", "b"]),
      messageDone("hi", 1),
      completed(),
    )
    expect(contentOf(served)[0]).toMatchObject({ thinking: "a\n\nb" })
  })

  test("48: the signature is made of the item's final content", () => {
    const served = serve(reasoningAdded(0), reasoningDone(0), messageDone("hi", 1), completed())
    expect(contentOf(served)[0]?.["signature"]).toBe("sluice1.0123456789ab.gAAAA_final")
  })

  test("49: reasoning without a summary between two calls keeps its place", () => {
    const served = serve(callDone(0, "{}"), reasoningAdded(1), reasoningDone(1), callDone(2, "{}"), completed())
    expect(kinds(served)).toEqual(["tool_use", "thinking", "tool_use"])
    expect(contentOf(served)[1]).toMatchObject({ thinking: "" })
  })

  test("a thought that is not finished when the next item is ends without a signature", () => {
    const served = serve(
      reasoningAdded(0),
      summaryDelta("hm"),
      callAdded(1),
      callDone(1, "{}"),
      reasoningDone(0, ["hm"]),
      completed(),
    )
    expect(contentOf(served)).toMatchObject([{ type: "thinking", thinking: "hm", signature: "" }, { type: "tool_use" }])
  })

  test("thinking is shown as the client asked: in full, sealed, or not at all", () => {
    const bytes = bytesOf([
      created,
      reasoningAdded(0),
      summaryDelta("hm"),
      reasoningDone(0, ["hm"]),
      messageDone("hi", 1),
      completed(),
    ])
    const sealed = checked(serveMessages(bytes, messagesContext({ thinking: "sealed" })))
    expect(contentOf(sealed)[0]).toMatchObject({ thinking: "", signature: expect.stringContaining("gAAAA_final") })
    const plain = messagesContext()
    const { thinking: _, ...reply } = plain.reply
    expect(kinds(checked(serveMessages(bytes, { ...plain, reply })))).toEqual(["text"])
  })

  test("an answer of nothing but thinking gets an empty text", () => {
    expect(kinds(serve(reasoningDone(0, ["hm"]), completed()))).toEqual(["thinking", "text"])
  })
})

describe("arguments", () => {
  test("50: blanks and absurd numbers go from Read, and from no other tool", () => {
    const wrong = '{"file_path":"/a","pages":"","offset":9999999}'
    expect(contentOf(serve(callAdded(0, "Read"), callDone(0, wrong, "Read"), completed()))).toMatchObject([
      { input: { file_path: "/a" } },
    ])
    expect(
      contentOf(serve(callDone(0, '{"file_path":"/a","pages":"2","offset":3}', "Read"), completed()))[0]?.["input"],
    ).toEqual({
      file_path: "/a",
      pages: "2",
      offset: 3,
    })
    expect(contentOf(serve(callDone(0, '{"new_string":"","pages":""}', "Edit"), completed()))[0]?.["input"]).toEqual({
      new_string: "",
      pages: "",
    })
    expect(
      contentOf(serve(callDone(0, '{"name":"","path":"/w"}', "EnterWorktree"), completed()))[0]?.["input"],
    ).toEqual({ path: "/w" })
  })

  test("51: blanks without end are cut where the arguments are whole, and are an error where they are not", () => {
    const blanks = Array.from({ length: 40 }, () => callDelta(0, " ".repeat(64)))
    const whole = serve(
      callAdded(0),
      callDelta(0, '{"a":1}'),
      ...blanks,
      callDelta(0, "x".repeat(9)),
      callDone(0, '{"a":1}'),
      completed(),
    )
    expect(contentOf(whole)).toMatchObject([{ input: { a: 1 } }])
    const open = serve(callAdded(0), callDelta(0, '{"a":1,'), ...blanks, completed())
    expect(typesOf(open).at(-1)).toBe("error")
    expect(open.error?.kind).toBe("upstream-protocol")
    const quoted = serve(
      callAdded(0),
      callDelta(0, '{"a":"'),
      ...blanks,
      callDelta(0, '"}'),
      callDone(0, `{"a":"${" ".repeat(2560)}"}`),
      completed(),
    )
    expect(contentOf(quoted)[0]).toMatchObject({ input: { a: " ".repeat(2560) } })
  })

  test.each(['{"a":', "[1]", '"text"', "7"])(
    "arguments that are no object (%p) are an error, and the call is left open",
    args => {
      const served = serve(callAdded(0), callDelta(0, args), callDone(0, args), completed())
      expect(typesOf(served).at(-1)).toBe("error")
      expect(typesOf(served)).not.toContain("content_block_stop")
      expect(served.error?.code).toBe("invalid_tool_arguments")
    },
  )

  test("numbers pass as they were written", () => {
    const served = serve(callDone(0, '{"a":1.0,"b":12345678901234567890}'), completed())
    expect(served.stream).toContain("1.0")
    expect(served.stream).toContain("12345678901234567890")
  })

  test("68: tools may be called like members of every object", () => {
    for (const name of ["constructor", "__proto__", "toString"]) {
      const served = serve(callDone(0, '{"__proto__":{"a":1}}', name), completed())
      expect(contentOf(served)[0]?.["name"]).toBe(name)
      expect(served.stream).toContain("__proto__")
    }
  })

  test("a prefix that is not the tool's own is cut off", () => {
    const bytes = bytesOf([created, callDone(0, "{}", "functions.read"), completed()])
    expect(contentOf(serveMessages(bytes, messagesContext(), new Set(["read"])))[0]?.["name"]).toBe("read")
    expect(contentOf(serveMessages(bytes, messagesContext(), new Set(["functions.read"])))[0]?.["name"]).toBe(
      "functions.read",
    )
  })
})

describe("web search", () => {
  const cite = (index: number, url: string, title: string): JsonObject => ({
    type: "response.output_text.annotation.added",
    output_index: index,
    content_index: 0,
    item_id: `msg_${index}`,
    annotation: { type: "url_citation", url, title, start_index: 0, end_index: 3 },
  })

  test("52: opening a page is no search, and a search without a query is one", () => {
    const opened = serve(searchDone(0, { type: "open_page", url: "https://a.org" }), messageDone("hi", 1), completed())
    expect(kinds(opened)).toEqual(["text"])
    const mute = serve(searchDone(0, { type: "search" }), messageDone("hi", 1), completed())
    expect(contentOf(mute)[0]).toMatchObject({ type: "server_tool_use", input: { query: "" } })
  })

  test("53: a search is a pair of blocks, counted, and its citations belong to the text", () => {
    const action = { type: "search", query: "jam", sources: [{ type: "url", url: "https://a.org" }] }
    const served = serve(
      searchDone(0, action),
      textDelta("Jam is", 1),
      cite(1, "https://a.org", "Jam"),
      messageDone("Jam is", 1),
      completed(),
    )
    expect(contentOf(served)).toEqual([
      { type: "server_tool_use", id: "srvtoolu_0", name: "web_search", input: { query: "jam" } },
      {
        type: "web_search_tool_result",
        tool_use_id: "srvtoolu_0",
        content: [
          { type: "web_search_result", url: "https://a.org", title: "", encrypted_content: "", page_age: null },
        ],
      },
      {
        type: "text",
        text: "Jam is",
        citations: [
          {
            type: "web_search_result_location",
            url: "https://a.org",
            title: "Jam",
            cited_text: "Jam",
            encrypted_index: "",
          },
        ],
      },
    ])
    expect(served.json).toMatchObject({
      stop_reason: "end_turn",
      usage: { server_tool_use: { web_search_requests: 1 } },
    })
    expect(foldMessagesStream(served.stream)).toEqual(served.json ?? {})
  })

  test("a request for nothing but a search gets the pages the answer cites as its results", () => {
    const bytes = bytesOf([
      created,
      searchDone(0, { type: "search", query: "jam" }),
      textDelta("Jam is", 1),
      cite(1, "https://b.org", "B"),
      messageDone("Jam is", 1),
      completed(),
    ])
    const served = checked(serveMessages(bytes, messagesContext({ searchFirst: true })))
    expect(contentOf(served)[1]).toMatchObject({ content: [{ url: "https://b.org", title: "B" }] })
    const broken = checked(
      serveMessages(
        bytesOf([created, searchDone(0, { type: "search" }), failed("server_error")]),
        messagesContext({ searchFirst: true }),
      ),
    )
    expect(typesOf(broken).at(-1)).toBe("error")
  })

  test("a search that failed says so", () => {
    expect(
      contentOf(serve(searchDone(0, { type: "search" }, "failed"), messageDone("hi", 1), completed()))[1],
    ).toMatchObject({
      content: { type: "web_search_tool_result_error", error_code: "unavailable" },
    })
  })
})

describe("endings", () => {
  test("54: an empty list at the end takes nothing back", () => {
    expect(contentOf(serve(textDelta("hi"), completed([])))).toEqual([{ type: "text", text: "hi" }])
  })

  test("55: an answer without output is an empty text, for clients fail over none", () => {
    const served = serve(completed())
    expect(contentOf(served)).toEqual([{ type: "text", text: "" }])
    expect(stopOf(served)).toBe("end_turn")
  })

  test("56: a call that is cut is never presented as whole", () => {
    const cut = serve(callAdded(0), callDelta(0, '{"command":"rm'), incomplete("max_output_tokens"))
    expect(stopOf(cut)).toBe("max_tokens")
    expect(contentOf(cut)).toEqual([])
    const hidden = serve(callAdded(0, "Read"), callDelta(0, '{"file'), incomplete("max_output_tokens"))
    expect(hidden.stream).not.toContain("tool_use")
  })

  test("57: text before a content filter stays", () => {
    const served = serve(textDelta("It is"), incomplete("content_filter"))
    expect(contentOf(served)).toEqual([{ type: "text", text: "It is" }])
    expect(served.json).toMatchObject({ stop_reason: "refusal", stop_details: { type: "refusal" } })
    expect(contentOf(serve(incomplete("content_filter")))).toEqual([])
  })

  test("58: a refusal is its text and its reason", () => {
    const refusal = {
      type: "response.refusal.delta",
      output_index: 0,
      content_index: 0,
      item_id: "msg_0",
      delta: "No.",
    }
    const served = serve(refusal, completed())
    expect(served.json).toMatchObject({ content: [{ text: "No." }], stop_reason: "refusal" })
  })

  test("an answer that was cut for no stated reason goes on when it has a whole call", () => {
    expect(stopOf(serve(callDone(0, "{}"), incomplete()))).toBe("tool_use")
    expect(stopOf(serve(messageDone("hi"), incomplete()))).toBe("end_turn")
    expect(stopOf(serve(callAdded(0), callDelta(0, '{"a'), incomplete()))).toBe("max_tokens")
    expect(stopOf(serve(messageDone("hi"), incomplete("model_context_window_exceeded")))).toBe("max_tokens")
  })

  test("60: a failure after text is one error event, and no end is faked", () => {
    const served = serve(textDelta("It is"), failed("server_is_overloaded"))
    expect(typesOf(served).slice(-2)).toEqual(["content_block_delta", "error"])
    expect(objectAt(served.events.at(-1) ?? {}, "error")?.["type"]).toBe("overloaded_error")
    expect(served.json).toBeUndefined()
  })

  test("62: an upstream that breaks off is an error for both kinds of client", () => {
    const served = serve(textDelta("It is"))
    expect(typesOf(served).at(-1)).toBe("error")
    expect(served.error?.kind).toBe("upstream-protocol")
  })

  test("63: more cached than there was is clamped, and the three counters add up", () => {
    const usage = {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 150, cache_write_tokens: 20 },
      output_tokens: 5,
    }
    expect(serve(messageDone("hi"), completed([], usage)).json?.["usage"]).toMatchObject({
      input_tokens: 0,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 0,
      output_tokens: 5,
    })
    const split = {
      input_tokens: 54_006,
      input_tokens_details: { cached_tokens: 50_688 },
      output_tokens: 812,
      output_tokens_details: { reasoning_tokens: 640 },
    }
    expect(serve(messageDone("hi"), completed([], split)).json?.["usage"]).toMatchObject({
      input_tokens: 3318,
      cache_read_input_tokens: 50_688,
      output_tokens: 812,
      output_tokens_details: { thinking_tokens: 640 },
    })
  })

  test("usage that is never stated is estimated", () => {
    const served = serve(messageDone("some words to count"), completed([], null))
    expect(served.json).toMatchObject({ usage: { input_tokens: 1000 } })
    expect(Number(objectAt(served.json ?? {}, "usage")?.["output_tokens"])).toBeGreaterThan(3)
  })
})
