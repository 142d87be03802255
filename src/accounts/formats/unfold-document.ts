/** JSON documents that hold a list of accounts → the entries in them, in a layout `decodeEntry` reads. */

import { GatewayError } from "#core/errors.ts"
import { arrayAt, isJsonObject, type Json, type JsonObject, numberAt, objectAt, stringAt } from "#core/json.ts"

import type { ListFormat } from "./format-names.ts"

/** One entry, or why there is none; `where` names the place for people. */
export type RawEntry =
  | { readonly where: string; readonly value: JsonObject }
  | { readonly where: string; readonly reason: string }

/** A document's shape and its entries; reading them is left to whoever wants them. */
export type Unfolded = { readonly format: ListFormat; readonly entries: readonly RawEntry[] }

type Shape = {
  readonly format: ListFormat
  readonly matches: (document: JsonObject) => boolean
  readonly entries: (document: JsonObject) => readonly RawEntry[]
}

/** Names the entries of an array and keeps what is not an object as a fault. */
function entriesOf(
  values: readonly Json[],
  reshape = (value: JsonObject): JsonObject | string => value,
): readonly RawEntry[] {
  return values.map((value, index) => {
    const where = `entry ${index + 1}`
    if (!isJsonObject(value)) return { where, reason: "is not an object" }
    const entry = reshape(value)
    return typeof entry === "string" ? { where, reason: entry } : { where, value: entry }
  })
}

function listIn(document: JsonObject): readonly Json[] {
  return arrayAt(document, "accounts") ?? []
}

/** Fields of the credentials and what the entry says around them; https://github.com/Wei-Shaw/sub2api. */
function reshapeSub2Api(entry: JsonObject): JsonObject | string {
  const platform = stringAt(entry, "platform")
  if (platform !== undefined && platform !== "openai") return "its platform is another service, which is not served"
  const credentials = objectAt(entry, "credentials")
  if (credentials === undefined) return 'needs "credentials"'
  // Their `type` says oauth or apikey, ours names the service.
  const { type: _ours, ...fields } = credentials
  const isOff = stringAt(entry, "status") === "inactive" || stringAt(entry, "status") === "disabled"
  return {
    ...(entry["name"] === undefined ? {} : { label: entry["name"] }),
    ...fields,
    ...(isOff ? { disabled: true } : {}),
  }
}

const SUB2API: Shape = {
  format: "sub2api",
  matches: document =>
    document["type"] === "sub2api-data" ||
    document["type"] === "sub2api-bundle" ||
    listIn(document).some(entry => isJsonObject(entry) && entry["platform"] !== undefined),
  entries: document => entriesOf(listIn(document), reshapeSub2Api),
}

const LB_BUNDLE = "codex-lb-account-bundle"

/** https://github.com/Soju06/codex-lb: the file is encrypted; what its `accounts` look like is what is inside it. */
function entriesOfCodexLb(document: JsonObject): readonly RawEntry[] {
  if (document["format"] === LB_BUNDLE) {
    throw new GatewayError("invalid-request", "the file is an encrypted bundle of codex-lb", {
      hint: "Export single accounts there as auth.json, or decrypt the bundle first.",
    })
  }
  return entriesOf(listIn(document), entry => {
    const { openai_api_key: apiKey, ...credentials } = objectAt(entry, "credentials") ?? {}
    return { ...entry, ...credentials, ...(typeof apiKey === "string" ? { api_key: apiKey } : {}) }
  })
}

const CODEX_LB: Shape = {
  format: "codex-lb",
  matches: document =>
    document["format"] === LB_BUNDLE ||
    (document["created_at"] !== undefined && listIn(document).some(one => isJsonObject(one) && "credentials" in one)),
  entries: entriesOfCodexLb,
}

const ICEBEAR: Shape = {
  format: "icebear",
  matches: document => arrayAt(document, "accounts") !== undefined,
  entries: document => entriesOf(listIn(document)),
}

function isOpencodeEntry(value: Json | undefined): value is JsonObject {
  if (!isJsonObject(value)) return false
  const type = value["type"]
  return type === "oauth" || type === "api" || type === "wellknown"
}

/** https://github.com/anomalyco/opencode: one member a service. */
function reshapeOpencode(service: string, value: Json): RawEntry {
  const where = service === "openai" ? "openai" : "another service"
  if (service !== "openai") return { where, reason: "only the entry `openai` is served" }
  if (!isOpencodeEntry(value)) return { where, reason: 'its "type" is neither oauth nor api' }
  const { refresh, access, expires, accountId, key } = value
  const fields = {
    refresh_token: refresh,
    access_token: access,
    expires_at: expires,
    account_id: accountId,
    api_key: key,
  }
  const present = Object.entries(fields).flatMap(([name, field]) =>
    field === undefined ? [] : [[name, field] as const],
  )
  return { where, value: Object.fromEntries(present) }
}

const OPENCODE: Shape = {
  format: "opencode",
  matches: document => {
    const values = Object.values(document)
    return values.length > 0 && values.every(isOpencodeEntry)
  },
  entries: document => Object.entries(document).map(([service, value]) => reshapeOpencode(service, value)),
}

/** The first that matches counts: an icebear list is what no other list is. */
const SHAPES: readonly Shape[] = [SUB2API, CODEX_LB, ICEBEAR, OPENCODE]

/** Takes the envelope off an API's answer; `{code, message, data}` with another code than 0 is a refusal. */
function withoutAnswerEnvelope(document: JsonObject): Json {
  const code = numberAt(document, "code")
  if (code === undefined || !("data" in document)) return document
  if (code !== 0 && code !== 200)
    throw new GatewayError("invalid-request", "the file holds an API's refusal, no accounts")
  return document["data"] ?? document
}

/** What one entry looks like, for telling the operator; all these are read alike. */
export function formatOfEntry(entry: JsonObject): ListFormat {
  const tokens = objectAt(entry, "tokens")
  if (entry["claudeAiOauth"] !== undefined || tokens?.["expiresAt"] !== undefined) return "dvcrn"
  if (tokens !== undefined || entry["auth_mode"] !== undefined || entry["OPENAI_API_KEY"] !== undefined)
    return "codex-auth"
  if (objectAt(entry, "user") !== undefined || objectAt(entry, "account") !== undefined) return "codex2api"
  const ofCodex2Api = ["accessToken", "session_token", "sessionToken", "codex_5h_used_percent", "codex_7d_used_percent"]
  if (ofCodex2Api.some(key => entry[key] !== undefined)) return "codex2api"
  return entry["api_base_url"] === undefined ? "flat" : "proxycast"
}

function unfoldArray(values: readonly Json[]): Unfolded {
  const first = values.find(isJsonObject)
  if (first?.["platform"] !== undefined) return { format: "sub2api", entries: entriesOf(values, reshapeSub2Api) }
  return { format: first === undefined ? "flat" : formatOfEntry(first), entries: entriesOf(values) }
}

/** Finds the entries of a parsed document. Throws `invalid-request` for what can hold none. */
export function unfoldDocument(whole: Json): Unfolded {
  const document = isJsonObject(whole) ? withoutAnswerEnvelope(whole) : whole
  if (Array.isArray(document)) return unfoldArray(document)
  if (!isJsonObject(document))
    throw new GatewayError("invalid-request", "the file holds neither an object nor an array")
  const shape = SHAPES.find(one => one.matches(document))
  if (shape !== undefined) return { format: shape.format, entries: shape.entries(document) }
  return { format: formatOfEntry(document), entries: [{ where: "", value: document }] }
}

/** As {@link unfoldDocument} for a document that is said to be of one shape. Throws when it is not. */
export function unfoldAs(whole: Json, format: ListFormat): Unfolded {
  const document = isJsonObject(whole) ? withoutAnswerEnvelope(whole) : whole
  if (format === "sub2api" && Array.isArray(document)) return { format, entries: entriesOf(document, reshapeSub2Api) }
  const shape = SHAPES.find(one => one.format === format)
  const isList = isJsonObject(document) && (format === "opencode" || arrayAt(document, "accounts") !== undefined)
  if (shape !== undefined && isJsonObject(document) && (isList || shape.matches(document))) {
    return { format, entries: shape.entries(document) }
  }
  throw new GatewayError("invalid-request", `the file is not of the format ${format}`)
}
