/** Encrypted reasoning as a part's `thoughtSignature`, and back. */

import type { NativeItem } from "#core/events.ts"
import { sealSignature, unsealSignature } from "#protocols/seal-signature.ts"

/** Returns the signature; undefined for items that cannot be replayed. Strict clients decode it: it must be base64. */
export function signatureOf(item: NativeItem, origin: string | undefined): string | undefined {
  const sealed = sealSignature(item, origin)
  return sealed === undefined ? undefined : Buffer.from(sealed, "utf8").toString("base64")
}

/** Returns the item; undefined for signatures of others. Clients may have changed the alphabet and the padding. */
export function itemOfSignature(signature: string): NativeItem | undefined {
  return unsealSignature(Buffer.from(signature, "base64").toString("utf8"))
}
