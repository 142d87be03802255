/** The text of client keys: new ones, what is shown of them, and the hash by which they are known. */

import type { RandomBytes } from "#core/ids.ts"

/** Makes the hash of a key. */
export type HashKey = (text: string) => string

/** A secret of this server: without it the hashes of the store say nothing about keys, not even about weak ones. */
export const PEPPER_BYTES = 32

const KEY_BYTES = 24
const SHOWN_CHARS = 8

/** Makes a new key: `sk-` and 32 characters of base64url, 192 bits of chance. */
export function makeKeyText(random: RandomBytes): string {
  return `sk-${Buffer.from(random(new Uint8Array(KEY_BYTES))).toString("base64url")}`
}

/** What is shown of a key for ever after. */
export function prefixOf(text: string): string {
  return text.slice(0, SHOWN_CHARS)
}

/** Makes the hash, HMAC-SHA-256 in hex: looking one up says nothing about keys that are nearly right. */
export function makeHashKey(pepper: Uint8Array): HashKey {
  return text => new Bun.CryptoHasher("sha256", pepper).update(text).digest("hex")
}
