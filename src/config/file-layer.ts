/** Reads one YAML file into settings with line numbers, collecting every problem instead of stopping at the first. */

import { type Document, isMap, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from "yaml"

import { checkValue } from "./check-value.ts"
import { CONFIG_SECTIONS, keyAt, nearestPath } from "./keys.ts"
import type { ConfigLayer, ConfigProblem, ConfigSource, Setting } from "./problem.ts"
import { OTHER_SPELLINGS, UNUSED_KEYS } from "./unused-keys.ts"

type Reading = {
  readonly document: Document.Parsed
  readonly sourceAt: (node: unknown) => ConfigSource & { readonly line: number }
  readonly settings: Setting[]
  readonly problems: ConfigProblem[]
  readonly unused: string[]
  readonly firstLines: Map<string, number>
}

/** Reads the text of a configuration file; `file` is the name problems show. An empty file is an empty layer. */
export function readFileLayer(text: string, file: string): ConfigLayer {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const sourceAtOffset = (offset: number) => ({ type: "file", file, line: lines.linePos(offset).line }) as const
  if (document.errors.length > 0) {
    const problems = document.errors.map(error => ({
      source: sourceAtOffset(error.pos[0]),
      message: `not readable as YAML: ${error.message}`,
    }))
    return { settings: [], problems, warnings: [] }
  }
  const reading: Reading = {
    document,
    sourceAt: node => sourceAtOffset(offsetOf(node)),
    settings: [],
    problems: [],
    unused: [],
    firstLines: new Map(),
  }
  readRoot(reading)
  const warnings = reading.unused.length === 0 ? [] : [unusedWarning(file, reading.unused)]
  return { settings: reading.settings, problems: reading.problems, warnings }
}

function readRoot(reading: Reading): void {
  const root = reading.document.contents
  if (root === null || (isScalar(root) && root.value === null)) return
  if (isMap(root)) {
    readMap(reading, root, "")
    return
  }
  reading.problems.push({ source: reading.sourceAt(root), message: "expected lines such as `key: value`" })
}

function readMap(reading: Reading, map: YAMLMap, prefix: string): void {
  for (const pair of map.items) readPair(reading, pair, prefix)
}

function readPair(reading: Reading, pair: Pair, prefix: string): void {
  const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
  const path = OTHER_SPELLINGS.get(prefix + name) ?? prefix + name
  const source = reading.sourceAt(pair.key)
  const firstLine = reading.firstLines.get(path)
  if (firstLine !== undefined) {
    reading.problems.push({ source, key: path, message: `given twice, first on line ${firstLine}` })
    return
  }
  reading.firstLines.set(path, source.line)
  const key = keyAt(path)
  if (key !== undefined) {
    const checked = checkValue(key, plainValue(reading, pair.value), source)
    if (checked.type === "setting") reading.settings.push(checked.setting)
    if (checked.type === "problem") reading.problems.push(checked.problem)
  } else if (CONFIG_SECTIONS.has(path)) {
    readSection(reading, pair, path)
  } else if (UNUSED_KEYS.has(path)) {
    reading.unused.push(path)
  } else {
    reading.problems.push(unknownKey(path, source))
  }
}

function readSection(reading: Reading, pair: Pair, path: string): void {
  if (isMap(pair.value)) {
    readMap(reading, pair.value, `${path}.`)
    return
  }
  if (plainValue(reading, pair.value) === null) return
  const names = CONFIG_SECTIONS.get(path)?.join(", ") ?? ""
  const message = `expected a mapping with the keys ${names}`
  reading.problems.push({ source: reading.sourceAt(pair.key), key: path, message })
}

function unknownKey(path: string, source: ConfigSource): ConfigProblem {
  const near = nearestPath(path)
  return { source, key: path, message: "unknown key", ...(near === undefined ? {} : { nearest: near }) }
}

/** Aliases and tags are resolved here; the yaml package guards against alias bombs. */
function plainValue(reading: Reading, node: unknown): unknown {
  if (node === null || node === undefined) return null
  if (typeof node === "object" && "toJS" in node && typeof node.toJS === "function") return node.toJS(reading.document)
  return node
}

function offsetOf(node: unknown): number {
  const range: unknown = typeof node === "object" && node !== null && "range" in node ? node.range : undefined
  return Array.isArray(range) && typeof range[0] === "number" ? range[0] : 0
}

function unusedWarning(file: string, keys: readonly string[]): string {
  return `${file}: ${keys.join(", ")}: known from another gateway, without effect here`
}
