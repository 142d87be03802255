/** Encrypted content that is bound to an account, as the backend's is, without hiding anything. */

import { sha256Hex } from "./ids.ts"

/** Whom a sealed blob belongs to. */
export type SealOwner = { readonly workspaceId: string; readonly userId: string }

const OWNER_OFFSET_BYTES = 9
const OWNER_BYTES = 16
const MAC_BYTES = 32
/** Version, time, owner, one cipher block and the code at the end: the least a Fernet token has. */
const MIN_BYTES = OWNER_OFFSET_BYTES + OWNER_BYTES + 16 + MAC_BYTES

/**
 * Returns a blob of Fernet shape (https://github.com/fernet/spec): URL-safe base64 that begins with `gAAAA`, because the
 * first byte is 0x80 and the time's high bytes are zero. The owner's hash stands where Fernet has its initial vector.
 */
export function seal(owner: SealOwner, parts: { readonly nowSec: number; readonly filler: string }): string {
  const filler = new Uint8Array(new Bun.CryptoHasher("sha512").update(parts.filler).digest())
  const head = new Uint8Array(OWNER_OFFSET_BYTES + OWNER_BYTES + filler.length)
  head[0] = 0x80
  new DataView(head.buffer).setUint32(5, parts.nowSec)
  head.set(ownerBytes(owner), OWNER_OFFSET_BYTES)
  head.set(filler, OWNER_OFFSET_BYTES + OWNER_BYTES)
  return Buffer.concat([head, macOf(head)])
    .toString("base64")
    .replaceAll("+", "-")
    .replaceAll("/", "_")
}

/** True when `blob` is whole and was sealed for `owner`. */
export function isSealedFor(owner: SealOwner, blob: string): boolean {
  const bytes = Buffer.from(blob, "base64url")
  if (bytes.length < MIN_BYTES || bytes[0] !== 0x80) return false
  const head = bytes.subarray(0, bytes.length - MAC_BYTES)
  const stated = head.subarray(OWNER_OFFSET_BYTES, OWNER_OFFSET_BYTES + OWNER_BYTES)
  return stated.equals(ownerBytes(owner)) && bytes.subarray(-MAC_BYTES).equals(macOf(head))
}

function ownerBytes(owner: SealOwner): Uint8Array {
  return Buffer.from(sha256Hex(`${owner.workspaceId}/${owner.userId}`), "hex").subarray(0, OWNER_BYTES)
}

/** Not a secret: it only tells a damaged blob from a whole one. */
function macOf(head: Uint8Array): Uint8Array {
  return new Uint8Array(new Bun.CryptoHasher("sha256").update("sluice-simulator").update(head).digest())
}
