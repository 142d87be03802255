/** Brings every known shape of an error answer into one {@link UpstreamFailure}. */

import { readErrorFacts } from "#core/error-facts.ts"
import { isJsonObject, type JsonObject, objectAt, parseJsonObject, stringAt } from "#core/json.ts"
import type { UpstreamFailure } from "#core/upstream.ts"

import type { ErrorReplyParts } from "./provider.ts"
import { readQuotaHeaders } from "./read-quota-headers.ts"

/** Codes we give to pages of an edge in front of the upstream, which has no codes of its own. */
export const EDGE_CODES = { challenge: "edge_challenge", blocked: "edge_blocked" } as const

type Facts = { -readonly [key in keyof Omit<UpstreamFailure, "status">]?: UpstreamFailure[key] }

/**
 * Reads an error answer. Never throws: what cannot be read becomes the message.
 * Shapes: `{error:{…}}`, `{detail:"…"}`, `{detail:{code}}`, `{code,message}`, plain text, HTML, nothing.
 */
export function readErrorReply(reply: ErrorReplyParts): UpstreamFailure {
  const facts: Facts = { ...readBody(reply), ...readRetryAfter(reply.headers) }
  const headerCode = readHeaderCode(reply.headers)
  if (headerCode !== undefined) facts.code = headerCode
  if (reply.headers.get("cf-mitigated") === "challenge") facts.code = EDGE_CODES.challenge
  const requestId = reply.headers.get("x-request-id") ?? reply.headers.get("x-oai-request-id")
  if (requestId !== null) facts.requestId = requestId
  if (reply.status === 429) addQuotaFacts(facts, reply.headers)
  return { ...facts, status: reply.status, message: facts.message ?? "" }
}

/** Reads the error object of any of the JSON shapes. */
function readErrorObject(json: JsonObject): Facts {
  const error = objectAt(json, "error") ?? objectAt(json, "detail") ?? json
  const text = stringAt(error, "message") ?? stringAt(json, "detail") ?? stringAt(json, "error") ?? firstDetail(json)
  const outerCode = stringAt(json, "code")
  return { message: text ?? "", ...(outerCode !== undefined && { code: outerCode }), ...readErrorFacts(error) }
}

function readBody({ status, headers, bodyText }: ErrorReplyParts): Facts {
  const text = bodyText.replace(/^\uFEFF/, "").trim()
  if (isHtml(headers, text)) return readHtml(status, text)
  const json = parseObject(text)
  // Not JSON after all: the text itself is the message.
  return json === undefined ? { message: text } : readErrorObject(json)
}

function isHtml(headers: Headers, text: string): boolean {
  if (/^<(!doctype|html|head|body)/i.test(text)) return true
  return text.startsWith("<") && (headers.get("content-type") ?? "").includes("text/html")
}

/** Pages of the edge: a challenge may pass from elsewhere, a block does not. */
function readHtml(status: number, text: string): Facts {
  const title = /<title[^>]*>([^<]{1,200})/i.exec(text)?.[1]?.trim()
  const facts: Facts = { html: true, message: title ?? "HTML page" }
  if (/just a moment|enable javascript and cookies|_cf_chl|challenge-platform/i.test(text)) {
    return { ...facts, code: EDGE_CODES.challenge }
  }
  const blocked = /attention required|you have been blocked|not available in your (country|region)/i.test(text)
  return status === 403 || blocked ? { ...facts, code: EDGE_CODES.blocked } : facts
}

/** What does not begin like an object is plain text, and plain text needs no attempt. */
function parseObject(text: string): JsonObject | undefined {
  return text.startsWith("{") ? parseJsonObject(text) : undefined
}

/** Validation lists: `{detail:[{loc,msg}]}`. */
function firstDetail(json: JsonObject): string | undefined {
  const detail = json["detail"]
  const first = Array.isArray(detail) ? detail[0] : undefined
  if (typeof first === "string") return first
  return isJsonObject(first) ? (stringAt(first, "msg") ?? stringAt(first, "message")) : undefined
}

/** The authentication layer names its reason in headers when the body does not. */
function readHeaderCode(headers: Headers): string | undefined {
  const plain = headers.get("x-openai-authorization-error")
  if (plain) return plain
  const encoded = headers.get("x-error-json")
  if (!encoded) return undefined
  try {
    const json = parseObject(atob(encoded))
    return json === undefined ? undefined : readErrorObject(json).code
  } catch {
    // Not base64: a header we do not understand says nothing.
    return undefined
  }
}

function readRetryAfter(headers: Headers): Facts {
  const ms = positive(headers.get("retry-after-ms"))
  if (ms !== undefined) return { retryAfterMs: ms }
  const text = headers.get("retry-after")
  const sec = positive(text)
  if (sec !== undefined) return { retryAfterMs: sec * 1000 }
  // An HTTP date counts from the answer's own date, so that a wrong clock here does not matter.
  const waitMs = Date.parse(text ?? "") - Date.parse(headers.get("date") ?? "")
  return waitMs >= 0 ? { retryAfterMs: waitMs } : {}
}

function positive(text: string | null): number | undefined {
  if (text === null || text.trim() === "") return undefined
  const value = Number(text)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

/** A 429 whose body states no reset may still carry it in the headers of the spent window. */
function addQuotaFacts(facts: Facts, headers: Headers): void {
  const quota = readQuotaHeaders(headers, EPOCH_MS)
  if (quota === undefined) return
  if (facts.planType === undefined && quota.planType !== undefined) facts.planType = quota.planType
  const full = quota.windows.filter(window => window.usedPercent >= 100)
  if (full.length > 0) facts.windowSec = Math.max(...full.map(({ windowSec }) => windowSec))
  if (facts.resetsAtSec !== undefined || facts.resetsInSec !== undefined) return
  const resets = full.map(window => window.resetsAtSec ?? 0)
  const latestSec = Math.max(0, ...resets)
  if (latestSec > MAX_RELATIVE_SEC) facts.resetsAtSec = latestSec
  else if (latestSec > 0) facts.resetsInSec = latestSec
}

/** Read at the epoch, a relative reset keeps its own value and an absolute one is never over. */
const EPOCH_MS = 0

/** Whatever is above this is a date. */
const MAX_RELATIVE_SEC = 1_000_000_000
