/** Answers of the operators' surface as values, its refusals as errors that say what to do here. */

import { ERROR_KINDS, type ErrorKind, GatewayError } from "#core/errors.ts"
import { isJsonObject, objectAt, stringAt } from "#core/json.ts"
import { makeSseSplitter, readSseFrame } from "#wire/sse-splitter.ts"

import type { AdminReply } from "./admin-connection.ts"

function isErrorKind(name: string): name is ErrorKind {
  return Object.hasOwn(ERROR_KINDS, name)
}

const WRONG_KEY =
  "Give this command the `admin-key` the gateway has: in the configuration, with --admin-key, or as ADMIN_SECRET in the environment."
const NO_KEY =
  "It has no `admin-key` and serves its operators only from its own machine, directly. Set `admin-key` there, and give this command the same."

function hintFor(kind: ErrorKind, code: string | undefined, said: string | undefined): string | undefined {
  if (kind === "unauthorized") return WRONG_KEY
  return code === "admin_key_required" ? NO_KEY : said
}

function notSluice(where: string): GatewayError {
  return new GatewayError("upstream-protocol", `What answers as ${where} has no operators' surface.`, {
    hint: "It is another program, a proxy in front of the gateway, or an older version of Sluice.",
  })
}

/** Reads the error in an answer's body. */
function errorOf(body: unknown, where: string): GatewayError {
  const error = isJsonObject(body) ? objectAt(body, "error") : undefined
  const kind = error === undefined ? undefined : stringAt(error, "kind")
  if (error === undefined || kind === undefined || !isErrorKind(kind)) return notSluice(where)
  const code = stringAt(error, "code")
  const hint = hintFor(kind, code, stringAt(error, "hint"))
  const message = stringAt(error, "message") ?? "It gives no reason."
  return new GatewayError(kind, kind === "unauthorized" ? `${where} refuses: ${message}` : message, {
    ...(code !== undefined && { code }),
    ...(hint !== undefined && { hint }),
  })
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // An HTML page or nothing: somebody else answers there.
    throw notSluice(where)
  }
}

/** Reads a whole answer. Throws the refusal it holds. */
export async function readJson({ status, body }: AdminReply, where: string): Promise<unknown> {
  const value = parse(await new Response(body).text(), where)
  if (status !== 200) throw errorOf(value, where)
  return value
}

/** Reads progress as it comes and returns the report at the end. Throws the refusal or failure it holds. */
export async function readSteps(
  { status, body }: AdminReply,
  where: string,
  onStep: (step: unknown) => void,
): Promise<unknown> {
  if (status !== 200 || body === null) return readJson({ status, body }, where)
  let done: { readonly report: unknown } | undefined
  const splitter = makeSseSplitter({
    onFrame: (text, start, end) => {
      const { event, data } = readSseFrame(text.slice(start, end))
      if (event === "progress") onStep(parse(data, where))
      else if (event === "done") done = { report: parse(data, where) }
      else if (event === "error") throw errorOf(parse(data, where), where)
    },
  })
  for await (const piece of body.pipeThrough(new TextDecoderStream())) splitter.push(piece)
  splitter.end()
  if (done !== undefined) return done.report
  throw new GatewayError("upstream-protocol", `${where} broke off before the end.`, {
    hint: "What it had done until then stays; `sluice accounts list` shows it.",
  })
}
