/** The key that everything stored is sealed with: its notations, its name, a new one. */

import { createHash, createSecretKey, type KeyObject } from "node:crypto"

import { GatewayError } from "#core/errors.ts"
import type { RandomBytes } from "#core/ids.ts"

/** A master key. The secret is a key object, which prints nothing of itself. */
export type MasterKey = {
  /** First 8 hex digits of the key's SHA-256; safe to show. */
  readonly id: string
  readonly secret: KeyObject
}

/** Bytes of a key. */
const KEY_BYTES = 32

/** Makes the key of 32 bytes. */
function keyOf(bytes: Uint8Array): MasterKey {
  return { id: createHash("sha256").update(bytes).digest("hex").slice(0, 8), secret: createSecretKey(bytes) }
}

/** Makes a new key. */
export function makeMasterKey(random: RandomBytes): MasterKey {
  return keyOf(random(new Uint8Array(KEY_BYTES)))
}

/** Returns the key in base64url, which {@link parseMasterKey} reads back. For the place it is kept at and nothing else. */
export function writeMasterKey(key: MasterKey): string {
  return key.secret.export().toString("base64url")
}

function refuse(origin: string, reason: string): GatewayError {
  return new GatewayError("internal", `${origin} is not a master key: ${reason}.`, {
    hint: "A key is 32 random bytes in base64, base64url or hex; `openssl rand -base64 32` makes one.",
  })
}

/**
 * Reads 32 bytes written in hex, base64 or base64url, space around them ignored.
 * Throws `internal`, naming `origin` and the reason and nothing of the text, for anything else.
 */
export function parseMasterKey(text: string, origin: string): MasterKey {
  const written = text.trim()
  if (written === "") throw refuse(origin, "it is empty")
  if (/^[0-9a-fA-F]{64}$/.test(written)) return keyOf(Buffer.from(written, "hex"))
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(written)) {
    throw refuse(origin, "it holds characters that are neither base64, base64url nor hex")
  }
  // Reads both alphabets. https://nodejs.org/api/buffer.html#buffers-and-character-encodings
  const bytes = Buffer.from(written, "base64")
  if (bytes.length !== KEY_BYTES) throw refuse(origin, `it has ${bytes.length} bytes, and ${KEY_BYTES} are needed`)
  return keyOf(bytes)
}
