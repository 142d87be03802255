/** Frames at any chunk border. */

import { describe, expect, test } from "bun:test"

import fc from "fast-check"

import { GatewayError } from "#core/errors.ts"
import { makeSseSplitter, readSseFrame, type SseFrame } from "#wire/sse-splitter.ts"

function readAll(pieces: readonly string[]): readonly SseFrame[] {
  const frames: SseFrame[] = []
  const splitter = makeSseSplitter({
    onFrame: (text, start, end, dataAt) => {
      const read = readSseFrame(text.slice(start, end))
      frames.push(read)
      // The short cut and the careful way agree wherever the short cut exists.
      if (dataAt !== -1) expect(text.slice(dataAt, end)).toBe(read.data)
    },
  })
  for (const piece of pieces) splitter.push(piece)
  splitter.end()
  return frames.filter(frame => frame.data !== "" || frame.event !== "")
}

function cut(text: string, borders: readonly number[]): readonly string[] {
  const sorted = [
    0,
    ...borders.map(border => border % (text.length + 1)).sort((left, right) => left - right),
    text.length,
  ]
  return sorted.slice(1).map((border, index) => text.slice(sorted[index], border))
}

const TWO: readonly SseFrame[] = [
  { event: "a", data: '{"n":1}' },
  { event: "", data: "second" },
]

describe("frames", () => {
  for (const [name, text] of [
    ["line feeds", 'event: a\ndata: {"n":1}\n\ndata: second\n\n'],
    ["carriage returns and line feeds", 'event: a\r\ndata: {"n":1}\r\n\r\ndata: second\r\n\r\n'],
    ["carriage returns alone", 'event: a\rdata: {"n":1}\r\rdata: second\r\r'],
    ["mixed line ends", 'event: a\r\ndata: {"n":1}\n\r\ndata: second\r\r\n'],
    ["a byte order mark", '\uFEFFevent: a\ndata: {"n":1}\n\ndata: second\n\n'],
    ["a byte order mark in byte text", '\u00EF\u00BB\u00BFevent: a\ndata: {"n":1}\n\ndata: second\n\n'],
    ["no blank after the colon", 'event:a\ndata:{"n":1}\n\ndata:second\n\n'],
    [
      "comments and blank lines between",
      ': hello\n\n\n\nevent: a\n: inside\ndata: {"n":1}\n\n\n: bye\n\ndata: second\n\n',
    ],
    ["unknown fields", 'id: 1\nevent: a\nretry: 5\ndata: {"n":1}\nnonsense\n\ndata: second\n\n'],
    ["the last blank line missing", 'event: a\ndata: {"n":1}\n\ndata: second'],
  ] as const) {
    test(`are found with ${name}, whole and unit by unit`, () => {
      expect(readAll([text])).toEqual(TWO)
      expect(readAll([...text])).toEqual(TWO)
    })
  }

  test("join several data lines with line feeds", () => {
    expect(readAll(["data: one\ndata:\ndata:  three\n\n"])).toEqual([{ event: "", data: "one\n\n three" }])
  })

  test("do not depend on where the text is cut", () => {
    const line = fc.stringMatching(/^[ -~é€😀]{0,20}$/u)
    const frame = fc
      .tuple(fc.constantFrom("\n", "\r\n", "\r"), fc.array(line, { maxLength: 3 }))
      .map(([end, lines]) => [...lines.map(text => `data: ${text}`), "", ""].join(end))
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 6 }), (frames, borders) => {
        const text = frames.join("")
        expect(readAll(cut(text, borders))).toEqual(readAll([text]))
      }),
    )
  })
})

describe("a short cut", () => {
  test("takes frames until it meets one it does not know", () => {
    const skipped: number[] = []
    const seen: string[] = []
    const splitter = makeSseSplitter({
      onFrame: (text, start, end) => seen.push(text.slice(start, end)),
      skipAhead: (text, start) => {
        if (!text.startsWith("data: x\n\n", start)) return start
        skipped.push(start)
        return start + 9
      },
    })
    splitter.push("data: x\n\ndata: x\n\ndata: other\n\ndata: x\n\ndata: x\n")
    expect(skipped).toEqual([0, 9, 31])
    expect(seen).toEqual(["data: other"])
    expect(splitter.rest()).toBe("data: x\n")
  })
})

describe("a frame over the bound", () => {
  test("is refused as a protocol failure, however it is cut", () => {
    const splitter = makeSseSplitter({ onFrame: () => {}, maxFrameBytes: 100 })
    const feed = () => {
      for (let count = 0; count < 20; count++) splitter.push("data: aaaa")
    }
    expect(feed).toThrow(GatewayError)
    expect(feed).toThrow("too large")
  })

  test("does not count frames that have ended", () => {
    let frames = 0
    const splitter = makeSseSplitter({ onFrame: () => frames++, maxFrameBytes: 100 })
    for (let count = 0; count < 100; count++) splitter.push("data: aaaa\n\nda".slice(count % 2 === 0 ? 0 : 2, 14))
    expect(frames).toBeGreaterThan(50)
  })
})
