/** The editors of foreign formats, over any content: what was put in is there, and everything else says what it said. */

import { expect, test } from "bun:test"

import fc from "fast-check"

import { ENV_FILE } from "#cli/clients/formats/env-file.ts"
import { type Format, type Setting, withSettings } from "#cli/clients/formats/format.ts"
import { JSONC, PLAIN_JSON } from "#cli/clients/formats/json.ts"
import { TOML } from "#cli/clients/formats/toml.ts"
import { putEntry, readYaml, withEntry } from "#cli/clients/formats/yaml-list.ts"
import type { JsonObject } from "#core/json.ts"

const WORD = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/)
const TEXT = fc.string({ unit: "binary", maxLength: 12 }).filter(text => text.isWellFormed() && text !== "__proto__")
const SETTINGS: readonly Setting[] = [
  { path: ["model"], value: "gpt-5.5" },
  { path: ["provider", "sluice", "url"], value: 'http://x/"\\v1' },
  { path: ["provider", "sluice", "list"], value: ["a", { b: 1 }] },
  { path: ["env", "KEY"], value: "sk" },
]

function holds(format: Format, text: string, settings: readonly Setting[]): void {
  const before = format.read(text)
  const after = format.put(text, settings)
  expect(format.read(after)).toEqual(withSettings(before, settings))
  // Once it is in, putting it in again changes no byte.
  expect(format.put(after, settings)).toBe(after)
}

test("JSON of any content and indentation", () => {
  const value = fc
    .jsonValue({ depthSize: "small", noUnicodeString: false })
    .filter(one => !JSON.stringify(one).includes("__proto__"))
  const content = fc.dictionary(fc.oneof(TEXT, fc.constantFrom("model", "provider", "env", "sluice")), value, {
    maxKeys: 5,
  })
  fc.assert(
    fc.property(
      content,
      fc.constantFrom("", "  ", "\t", "    "),
      fc.constantFrom("\n", "\r\n"),
      (object, indent, eol) => {
        const text = JSON.stringify(object, undefined, indent).replaceAll("\n", eol)
        holds(JSONC, text, SETTINGS)
        holds(PLAIN_JSON, text, SETTINGS)
      },
    ),
    { numRuns: 400 },
  )
})

test.each([
  ["an empty file", ""],
  ["blank lines", "\n \n"],
  ["a byte order mark", '\uFEFF{ "a": 1 }'],
  ["a comment in an empty object", "{ // nothing yet\n}"],
  ["a comment alone in one line", "{ /* nothing */ }"],
  ["a trailing comma and comments behind it", '{\n  "a": 1, // one,\n  /* two, */\n}'],
  ["no trailing comma, but one in a comment", '{\n  "a": 1 // one, two\n}'],
  ["a nested object with a trailing comma", '{\n  "provider": { "other": {}, },\n}'],
  ["a value of another kind in the way", '{ "provider": null, "env": [1] }'],
  ["a comma and a brace inside of strings", '{ "a": "},", "provider": { "x": "//" } }'],
])("JSON with comments: %s", (_, text) => {
  holds(JSONC, text, SETTINGS)
})

test("JSON with comments: the comment of the last property stays in its line", () => {
  expect(JSONC.put('{\n  "a": 1 // one\n}\n', [{ path: ["b"], value: 2 }])).toBe('{\n  "a": 1, // one\n  "b": 2\n}\n')
})

test("TOML of any tables", () => {
  const settings: readonly Setting[] = [
    { path: ["model"], value: 'a"\\b' },
    { path: ["providers", "my own", "url"], value: "http://x/v1" },
    { path: ["providers", "my own", "n"], value: 3 },
  ]
  const line = fc.tuple(WORD, fc.oneof(TEXT, fc.integer(), fc.boolean())).map(([name, value]) => ({ name, value }))
  const lines = fc.uniqueArray(line, { selector: one => one.name, maxLength: 4 })
  const tables = fc.uniqueArray(fc.tuple(WORD, lines), { selector: ([name]) => name, maxLength: 3 })
  const literal = (value: unknown) => JSON.stringify(value).replaceAll("\u007f", "\\u007f")
  const print = (some: readonly { readonly name: string; readonly value: unknown }[]) =>
    some.map(({ name, value }) => `${name} = ${literal(value)} # why\n`).join("")
  fc.assert(
    fc.property(lines, tables, fc.boolean(), (top, named, isCrlf) => {
      const clash = new Set(top.map(({ name }) => name))
      const rest = named.filter(([name]) => !clash.has(name) && name !== "providers")
      const text = `# head\n${print(top)}\n${rest.map(([name, body]) => `[${name}]\n${print(body)}`).join("\n")}`
      holds(TOML, isCrlf ? text.replaceAll("\n", "\r\n") : text, settings)
    }),
    { numRuns: 300 },
  )
})

test("files of variables of any names and texts", () => {
  const value = fc.stringMatching(/^[ -~]{0,12}$/).filter(text => !/['"`\\#]/.test(text))
  fc.assert(
    fc.property(fc.array(fc.tuple(WORD, value), { maxLength: 5 }), fc.boolean(), (pairs, ends) => {
      const text = `# c\n${pairs.map(([name, one]) => `${name}='${one}' # x`).join("\n")}${ends ? "\n" : ""}`
      holds(ENV_FILE, text, [
        { path: ["NEW"], value: "sk-1" },
        { path: [pairs[0]?.[0] ?? "other"], value: "b c" },
      ])
    }),
  )
})

test("YAML of any entries before and behind", () => {
  const entry = { name: "Ours", url: "http://x:1/v1", on: "yes", roles: ["chat"], n: 2 } as const
  const item = fc.dictionary(fc.constantFrom("name", "model", "roles", "url"), fc.oneof(TEXT, fc.integer()), {
    maxKeys: 4,
  })
  const items = fc.array(fc.oneof(item, fc.constant({ name: "Ours", model: "m" })), { maxLength: 4 })
  fc.assert(
    fc.property(items, fc.boolean(), (list, isFlow) => {
      const unique = list.filter(
        (one, index) => one["name"] !== "Ours" || list.findIndex(other => other["name"] === "Ours") === index,
      )
      const body = isFlow
        ? `models: ${JSON.stringify(unique)} # flow\n`
        : `models: # block\n${unique.map(one => `  # next\n  - ${JSON.stringify(one)}\n`).join("")}`
      const text = `# head\nname: A\n${body}tail: 1 # end\n`
      const before: JsonObject = readYaml(text)
      const after = putEntry(text, { list: "models", entry })
      expect(readYaml(after)).toEqual(withEntry(before, { list: "models", entry }))
      expect(after).toContain("tail: 1 # end\n")
      expect(putEntry(after, { list: "models", entry })).toBe(after)
    }),
    { numRuns: 300 },
  )
})
