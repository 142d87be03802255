/** Reads a request body: decompressed, then as JSON or as a form. */

import { isJsonObject, type JsonObject } from "#core/json.ts"

import { detailRefusal, type Refusal } from "./refusal.ts"

/** A parsed body, or what the backend answers to an unreadable one. */
export type ReadBody = { readonly body: JsonObject } | { readonly refusal: Refusal }

/** Decoders by content encoding. Codex clients may send `zstd`. */
const DECODERS: Readonly<Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array>> = {
  identity: bytes => bytes,
  gzip: bytes => Bun.gunzipSync(bytes),
  deflate: bytes => Bun.inflateSync(bytes),
  zstd: bytes => Bun.zstdDecompressSync(bytes),
}

/** Returns the body as a JSON object, or the refusal of one that cannot be read. */
export async function readBody(request: Request): Promise<ReadBody> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity"
  const decode = DECODERS[encoding]
  if (decode === undefined) return { refusal: detailRefusal(`Unsupported content encoding: ${encoding}`, 415) }
  const bytes = new Uint8Array(await request.arrayBuffer())
  const type = request.headers.get("content-type") ?? ""
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(decode(bytes))
    if (type.includes("application/x-www-form-urlencoded")) {
      return { body: Object.fromEntries(new URLSearchParams(text)) }
    }
    const body: unknown = JSON.parse(text)
    return isJsonObject(body) ? { body } : { refusal: detailRefusal("Bad Request") }
  } catch {
    // The only failures are damaged compression, bad UTF-8 and bad JSON: all are the sender's, and answered as such.
    return { refusal: detailRefusal("Bad Request") }
  }
}
