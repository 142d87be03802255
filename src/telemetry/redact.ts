/** Takes secrets out of what is about to be logged: the second line of defence, behind not handing them over. */

const REDACTED = "[redacted]"

/** Deeper values are cut off; log fields are flat by habit. */
const MAX_DEPTH = 8

/** Longest text that is logged, in UTF-16 units. */
const MAX_TEXT_LENGTH = 8192

/** Key names that stand for a secret, without `-` and `_`, in lower case. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  "authorization",
  "proxyauthorization",
  "cookie",
  "setcookie",
  "token",
  "accesstoken",
  "refreshtoken",
  "idtoken",
  "sessiontoken",
  "bearertoken",
  "apikey",
  "apikeys",
  "xapikey",
  "xgoogapikey",
  "xadminkey",
  "adminkey",
  "key",
  "password",
  "passphrase",
  "secret",
  "clientsecret",
  "codeverifier",
  "authorizationcode",
  "credential",
  "credentials",
])

/**
 * Beginnings that vendors give their secrets: JSON Web Tokens (`eyJ…` is base64 of `{"`), OpenAI keys and refresh tokens.
 * https://www.rfc-editor.org/rfc/rfc7519#section-3, https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
const SECRET_TEXTS = [
  /eyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g,
  /\b(?:sk|sess|rt|at)[-_][\w.~+/=-]{6,}/g,
  /\b(bearer|basic)\s+[\w.~+/=-]+/gi,
]

/** User and password inside an address. */
const ADDRESS_USER = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/gi

/** Returns the text without anything that looks like a secret, shortened when it is very long. */
export function redactText(text: string): string {
  const short = text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text
  return SECRET_TEXTS.reduce((rest, pattern) => rest.replaceAll(pattern, REDACTED), short).replaceAll(
    ADDRESS_USER,
    "$1***@",
  )
}

/** Returns a copy of plain data without secrets, by key name and by look. Errors become name, message, code and cause. */
export function redactValue(value: unknown): unknown {
  return redact(value, 0)
}

/** {@link redactValue} for the fields of a log line. */
export function redactFields(fields: object): Record<string, unknown> {
  return redactEntries(Object.entries(fields), 0)
}

function redact(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return redactText(value)
    case "object":
      return value === null ? null : redactObject(value, depth)
    case "bigint":
      return String(value)
    case "function":
    case "symbol":
      return `[${typeof value}]`
    case "number":
    case "boolean":
    case "undefined":
      return value
  }
}

function redactObject(value: object, depth: number): unknown {
  if (depth >= MAX_DEPTH) return "[too deep]"
  if (Array.isArray(value)) return value.map(item => redact(item, depth + 1))
  if (value instanceof Error) return redactError(value, depth)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "[no date]" : value.toISOString()
  if (value instanceof URL) return redactText(value.href)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (value instanceof Set) return redact([...value], depth)
  if (value instanceof Map || value instanceof Headers) {
    return redactEntries(
      [...value].map(([key, item]) => [String(key), item]),
      depth,
    )
  }
  return redactEntries(Object.entries(value), depth)
}

function redactEntries(entries: readonly (readonly [string, unknown])[], depth: number): Record<string, unknown> {
  return Object.fromEntries(
    entries.map(([key, value]) => [redactText(key), isSecretKey(key) ? REDACTED : redact(value, depth + 1)]),
  )
}

function redactError(error: Error, depth: number): unknown {
  const facts = { ...error, name: error.name, message: error.message, stack: error.stack }
  const cause = error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }
  return { ...redactEntries(Object.entries(facts), depth), ...cause }
}

function isSecretKey(key: string): boolean {
  return SECRET_KEYS.has(key.replaceAll(/[-_ ]/g, "").toLowerCase())
}
