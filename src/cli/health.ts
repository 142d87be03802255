/** `sluice health`: asks a running gateway whether it is alive, for container and service monitors. */

import { get } from "node:http"

import type { Config } from "#config/config.ts"
import { type CommandLine, readCommandLine } from "#config/flag-layer.ts"
import { formatProblem } from "#config/problem.ts"
import { isJsonObject, type JsonObject, numberAt, objectAt } from "#core/json.ts"

import type { Command, CommandIo } from "./command.ts"
import { configLoader } from "./config-loader.ts"

const TIMEOUT_MS = 3000

const HELP = `sluice health [--url URL] [--json] [--config FILE] [--<key> VALUE …]

  Asks a running gateway for /health/live, then for /health, and prints one line.
  Exit code 0 = alive, 1 = not, within ${TIMEOUT_MS / 1000} seconds.

  --url URL       the gateway to ask (default: the configured listen address on this machine)
  --json          print what /health answered as one JSON line
  --config FILE   the configuration that names the listen address
  --<key> VALUE   any setting, as for \`serve\`; only \`listen\` matters here
`

/** What became of the question. */
type Answer =
  | { readonly type: "alive"; readonly facts: JsonObject }
  | { readonly type: "dead"; readonly reason: string }

/** The `health` verb. */
export const healthCommand: Command = {
  name: "health",
  summary: "ask a running gateway whether it is alive",
  help: HELP,
  run: async (args, io) => {
    const line = readCommandLine(args, { "--url": "value", "--json": "switch" })
    const target = await findTarget(line, io)
    if (target.type === "refused") return target.exitCode
    const answer = await ask(target.url, AbortSignal.any([io.signal, AbortSignal.timeout(TIMEOUT_MS)]))
    io.stdout(line.own.has("--json") ? jsonLine(target.url, answer) : plainLine(target.url, answer))
    return answer.type === "alive" ? 0 : 1
  },
}

type Target = { readonly type: "url"; readonly url: URL } | { readonly type: "refused"; readonly exitCode: number }

async function findTarget(line: CommandLine, io: CommandIo): Promise<Target> {
  const given = line.own.get("--url")
  const [problem] = line.layer.problems
  if (problem !== undefined) return wrongUsage(io, formatProblem(problem))
  if (line.positionals[0] !== undefined) return wrongUsage(io, `unexpected argument "${line.positionals[0]}"`)
  if (typeof given === "string") {
    const url = URL.parse(given)
    return url?.protocol === "http:" ? { type: "url", url } : wrongUsage(io, "--url: expected an http address")
  }
  const result = await configLoader(line, io).load()
  if (result.type === "loaded") return { type: "url", url: urlOf(result.loaded.config.listen) }
  for (const one of result.problems) io.stderr(`${formatProblem(one)}\n`)
  return { type: "refused", exitCode: 1 }
}

/** A gateway that listens on every interface is reached over loopback. */
function urlOf(listen: Config["listen"]): URL {
  const host = listen.host === "0.0.0.0" ? "127.0.0.1" : listen.host === "::" ? "::1" : listen.host
  return new URL(`http://${host.includes(":") ? `[${host}]` : host}:${listen.port}/`)
}

async function ask(base: URL, signal: AbortSignal): Promise<Answer> {
  try {
    const live = await read(new URL("/health/live", base), signal)
    if (live.status !== 200) return { type: "dead", reason: `/health/live answered ${live.status}` }
    const health = await read(new URL("/health", base), signal)
    if (health.status !== 200) return { type: "dead", reason: `/health answered ${health.status}` }
    const facts: unknown = JSON.parse(health.body)
    return isJsonObject(facts) ? { type: "alive", facts } : { type: "dead", reason: "/health answered no JSON object" }
  } catch (error) {
    // Not reaching the gateway is what this command exists to tell, so it becomes the answer.
    return { type: "dead", reason: signal.aborted ? "no answer in time" : reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED") return "nothing listens there"
  return error instanceof Error ? error.message : String(error)
}

type Reply = { readonly status: number; readonly body: string }

/** Bun's `fetch` would send even a loopback request through `HTTP_PROXY`; `node:http` does not know the variable. */
function read(url: URL, signal: AbortSignal): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const request = get(url, { signal, agent: false }, response => {
    const chunks: Buffer[] = []
    response.on("data", (chunk: Buffer) => chunks.push(chunk))
    response.on("error", reject)
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
  })
  request.on("error", reject)
  return promise
}

function plainLine(url: URL, answer: Answer): string {
  if (answer.type === "dead") return `not alive: ${url.origin}: ${answer.reason}\n`
  // The counts stand at the top of the answer or under `accounts`.
  const counts = objectAt(answer.facts, "accounts") ?? answer.facts
  const available = numberAt(counts, "available")
  const total = numberAt(counts, "total")
  const accounts = available === undefined || total === undefined ? "" : `, ${available} of ${total} accounts available`
  return `alive: ${url.origin}${accounts}\n`
}

function jsonLine(url: URL, answer: Answer): string {
  const facts = answer.type === "alive" ? { health: answer.facts } : { reason: answer.reason }
  return `${JSON.stringify({ url: url.origin, alive: answer.type === "alive", ...facts })}\n`
}

function wrongUsage(io: CommandIo, message: string): Target {
  io.stderr(`sluice health: ${message}\n  \`sluice health --help\` shows how it is used.\n`)
  return { type: "refused", exitCode: 2 }
}
