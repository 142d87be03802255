/** Loads recorded upstream answers and runs them through decoders, encoders and relays. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { GatewayError } from "#core/errors.ts"
import type { StreamEvent } from "#core/events.ts"
import type { RequestId } from "#core/ids.ts"
import type { ReplyOptions } from "#core/request.ts"
import type { UpstreamFailure } from "#core/upstream.ts"
import type { ReplyContext, StreamDecoder } from "#protocols/protocol.ts"

/** One folder of `test/scenarios`. */
export type Scenario = {
  readonly name: string
  /** The upstream's bytes. */
  readonly upstream: Uint8Array
  readonly context: ReplyContext
  readonly declaredTools: ReadonlySet<string> | undefined
}

type ScenarioFile = {
  readonly reply?: Partial<ReplyOptions>
  readonly toolNames?: Readonly<Record<string, string>>
  readonly declaredTools?: readonly string[]
}

const ROOT = join(import.meta.dir, "..", "scenarios")

/** Every scenario, by name. */
export function loadScenarios(): readonly Scenario[] {
  return readdirSync(ROOT)
    .sort()
    .map(name => {
      const file = readContext(name)
      return {
        name,
        upstream: new Uint8Array(readFileSync(join(ROOT, name, "upstream.responses.txt"))),
        context: makeContext(file.reply, file.toolNames),
        declaredTools: file.declaredTools === undefined ? undefined : new Set(file.declaredTools),
      }
    })
}

function readContext(name: string): ScenarioFile {
  const path = join(ROOT, name, "context.json")
  // The scenario files are ours and are read by this function only.
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as ScenarioFile) : {}
}

/** A context with the usual options switched off. */
export function makeContext(
  reply: Partial<ReplyOptions> = {},
  toolNames: Readonly<Record<string, string>> = {},
): ReplyContext {
  return {
    requestId: "req_0123456789ab" as RequestId,
    model: "my-alias",
    nowSec: 1_790_000_123,
    clock: () => 1_790_000_123_456,
    startedAtMs: 1_790_000_121_000,
    toolNames: new Map(Object.entries(toolNames)),
    estimateInputTokens: () => 1000,
    origin: "0123456789ab",
    reply: { includeUsage: false, legacyFunctions: false, customAsFunction: false, codexClient: false, ...reply },
  }
}

/** A plain reading of failures, standing in for a provider's. */
export function readFailure(failure: UpstreamFailure): GatewayError {
  const options = failure.code === undefined ? {} : { code: failure.code }
  const message = failure.message
  if (failure.code === "upstream_stream_break") return new GatewayError("upstream-protocol", message, options)
  if (failure.code === "rate_limit_exceeded") return new GatewayError("rate-limited", message, options)
  if (failure.code === "server_is_overloaded") return new GatewayError("upstream-overloaded", message, options)
  return new GatewayError("upstream-unavailable", message, options)
}

/** Compares `actual` with a golden file, or writes it when `UPDATE_GOLDEN=1`. Returns the text to compare with. */
export function golden(scenario: string, file: string, actual: string): string {
  const path = join(ROOT, scenario, file)
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, actual)
  return readGolden(scenario, file)
}

/** The text of a golden file, for tests that another test keeps it for. */
export function readGolden(scenario: string, file: string): string {
  return readFileSync(join(ROOT, scenario, file), "utf8")
}

/** Events as one JSON object a line. */
export function eventLines(events: readonly StreamEvent[]): string {
  return events.map(event => `${JSON.stringify(event, showError)}\n`).join("")
}

function showError(key: string, value: unknown): unknown {
  if (key !== "error" || !(value instanceof GatewayError)) return value
  return { kind: value.kind, code: value.code, message: value.message }
}

/** Runs bytes through a decoder, cut as `cuts` says. */
export function decodeWith(
  makeDecoder: (emit: (event: StreamEvent) => void) => StreamDecoder,
  chunks: Iterable<Uint8Array>,
): readonly StreamEvent[] {
  const events: StreamEvent[] = []
  const decoder = makeDecoder(event => events.push(event))
  for (const chunk of chunks) decoder.feed(chunk)
  decoder.end()
  return events
}

/** Cuts bytes into pieces of `size`. */
export function* pieces(bytes: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Cuts bytes once, at `at`. */
export function halves(bytes: Uint8Array, at: number): readonly Uint8Array[] {
  return [bytes.subarray(0, at), bytes.subarray(at)]
}
