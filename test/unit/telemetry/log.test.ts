/** What a line looks like, and which lines are written. */

import { expect, test } from "bun:test"

import { type LogFormat, makeLog } from "#telemetry/log.ts"

function makeSink() {
  const lines: string[] = []
  return { lines, write: (line: string) => void lines.push(line) }
}

test("a JSON line has the level as a word, an ISO time, the fields and the message", async () => {
  const sink = makeSink()
  const log = await makeLog({ level: "info", format: "json", destination: sink })
  log.warn({ count: 3 }, "three left")
  const line = JSON.parse(sink.lines[0] ?? "")
  expect(line).toEqual({ level: "warn", time: line.time, count: 3, msg: "three left" })
  expect(new Date(line.time).toISOString()).toBe(line.time)
})

test("the level can be changed while running", async () => {
  const sink = makeSink()
  const log = await makeLog({ level: "warn", format: "json", destination: sink })
  log.info({}, "one")
  log.setLevel("debug")
  log.debug({}, "two")
  log.setLevel("error")
  log.warn({}, "three")
  log.error({}, "four")
  expect(sink.lines.map(line => JSON.parse(line).msg)).toEqual(["two", "four"])
  expect(log.level()).toBe("error")
})

const FORMATS: readonly { readonly format: LogFormat; readonly isTerminal: boolean; readonly isJson: boolean }[] = [
  { format: "auto", isTerminal: true, isJson: false },
  { format: "auto", isTerminal: false, isJson: true },
  { format: "json", isTerminal: true, isJson: true },
  { format: "pretty", isTerminal: false, isJson: false },
]

for (const { format, isTerminal, isJson } of FORMATS) {
  test(`format ${format} ${isTerminal ? "on a terminal" : "elsewhere"} writes ${isJson ? "JSON" : "readable lines"}`, async () => {
    const sink = makeSink()
    const log = await makeLog({ level: "info", format, destination: sink, isTerminal })
    log.info({ port: 8080 }, "listening")
    expect(sink.lines).toHaveLength(1)
    expect(sink.lines[0]?.startsWith("{")).toBe(isJson)
    expect(sink.lines[0]).toContain("listening")
    expect(sink.lines[0]).toContain("8080")
    expect(sink.lines[0]).toEndWith("\n")
  })
}

test("colours are for terminals only", async () => {
  const colourStart = String.fromCharCode(27)
  for (const isTerminal of [true, false]) {
    const sink = makeSink()
    const log = await makeLog({ level: "info", format: "pretty", destination: sink, isTerminal })
    log.error({}, "broken")
    expect(sink.lines[0]?.includes(colourStart)).toBe(isTerminal)
  }
})

test("a field cannot take the place of the level, and odd text stays on one line", async () => {
  const sink = makeSink()
  const log = await makeLog({ level: "info", format: "json", destination: sink })
  log.info({ text: "a\nb\u2028c\u0000" }, "line\nbreak")
  expect(sink.lines).toHaveLength(1)
  expect(sink.lines[0]?.trimEnd().includes("\n")).toBe(false)
})
