/** Reads a request body within its limits and decodes it to a JSON object. */

import type { Timers } from "#core/clock.ts"
import { GatewayError } from "#core/errors.ts"
import { isJsonObject, type JsonObject } from "#core/json.ts"

/** Limits of one body. */
export type BodyLimits = {
  readonly maxBytes: number
  /** Longest pause between two pieces of the body; 0 = no limit. */
  readonly timeoutMs: number
  readonly timers: Timers
}

/**
 * Returns the body as a JSON object. Throws `request-too-large`, `request-timeout`, `unsupported-encoding`, or
 * `invalid-request` with code `invalid_json`.
 */
export async function readJsonBody(request: Request, limits: BodyLimits): Promise<JsonObject> {
  return parseJsonBody(await readBodyBytes(request, limits))
}

/** Returns the body, unpacked. Throws `request-too-large`, `request-timeout` or `unsupported-encoding`. */
export async function readBodyBytes(request: Request, limits: BodyLimits): Promise<Uint8Array<ArrayBuffer>> {
  const declaredBytes = Number(request.headers.get("content-length") ?? 0)
  if (declaredBytes > limits.maxBytes) throw tooLarge(limits.maxBytes)
  const raw = await readRawBytes(request, limits)
  return decompress(raw, request.headers.get("content-encoding"), limits.maxBytes)
}

/** Returns the body as it is. Throws `request-too-large` or `request-timeout`. */
export async function readRawBytes(request: Request, limits: BodyLimits): Promise<Uint8Array<ArrayBuffer>> {
  if (request.body === null) return new Uint8Array(0)
  const reader = request.body.getReader()
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for (;;) {
    const piece = await readPiece(reader, limits)
    if (piece === undefined) break
    sizeBytes += piece.byteLength
    if (sizeBytes > limits.maxBytes) {
      await reader.cancel()
      throw tooLarge(limits.maxBytes)
    }
    chunks.push(piece)
  }
  return Bun.concatArrayBuffers(chunks, Number.POSITIVE_INFINITY, true)
}

async function readPiece(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limits: BodyLimits,
): Promise<Uint8Array | undefined> {
  let cancelTimer = () => {}
  const late = new Promise<never>((_, reject) => {
    if (limits.timeoutMs === 0) return
    cancelTimer = limits.timers.after(limits.timeoutMs, () =>
      reject(new GatewayError("request-timeout", "The request body did not arrive in time.")),
    )
  })
  try {
    const { done, value } = await Promise.race([reader.read(), late])
    return done ? undefined : value
  } catch (cause) {
    if (cause instanceof GatewayError) {
      // The reader's own failure would only repeat what is thrown here.
      reader.cancel().catch(() => {})
      throw cause
    }
    throw new GatewayError("cancelled", "The client went away while sending its body.", { cause })
  } finally {
    cancelTimer()
  }
}

async function decompress(
  raw: Uint8Array<ArrayBuffer>,
  encoding: string | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const name = (encoding ?? "identity").trim().toLowerCase()
  if (name === "identity" || name === "") return raw
  const unpack = UNPACKERS[name]
  if (unpack === undefined) {
    throw new GatewayError(
      "unsupported-encoding",
      `Content-Encoding "${name}" is not supported; use gzip, deflate or zstd.`,
    )
  }
  // Loaded by the first body that needs it, because it takes longer to load than a start should wait.
  const zlib = await import("node:zlib")
  try {
    return unpack(zlib, { raw, maxOutputLength: maxBytes })
  } catch (cause) {
    // The limit is enforced while unpacking: a few kilobytes can stand for gigabytes.
    if (cause instanceof RangeError || codeOf(cause) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(maxBytes)
    throw new GatewayError("invalid-request", `The body is not valid ${name} data.`, {
      code: "invalid_encoding",
      cause,
    })
  }
}

type Zlib = typeof import("node:zlib")
type Packed = { readonly raw: Uint8Array; readonly maxOutputLength: number }
type Unpack = (zlib: Zlib, packed: Packed) => Uint8Array<ArrayBuffer>

const gunzip: Unpack = (zlib, { raw, ...limit }) => zlib.gunzipSync(raw, limit)

const UNPACKERS: Readonly<Record<string, Unpack>> = {
  gzip: gunzip,
  "x-gzip": gunzip,
  zstd: (zlib, { raw, ...limit }) => zlib.zstdDecompressSync(raw, limit),
  // HTTP means the zlib form (RFC 9110 section 8.4.1.2), but some clients send the bare one.
  deflate: (zlib, { raw, ...limit }) =>
    hasZlibHeader(raw) ? zlib.inflateSync(raw, limit) : zlib.inflateRawSync(raw, limit),
}

function hasZlibHeader(raw: Uint8Array): boolean {
  const [method = 0, flags = 0] = raw
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : undefined
}

/** Reads a body as a JSON object. Throws `invalid-request` with code `invalid_json`. */
export function parseJsonBody(bytes: Uint8Array): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new GatewayError("invalid-request", "The request body is not valid JSON.", { code: "invalid_json", cause })
  }
  if (isJsonObject(value)) return value
  throw new GatewayError("invalid-request", "The request body must be a JSON object.", { code: "invalid_json" })
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError("request-too-large", `The request body is larger than ${maxBytes} bytes.`, {
    code: "request_too_large",
    hint: "Raise `max-body-bytes` if such bodies are expected.",
  })
}
