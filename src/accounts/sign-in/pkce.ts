/** Proof keys for the code exchange (RFC 7636): whoever redeems the code must be who asked for it. */

import type { RandomBytes } from "#core/ids.ts"

/** A secret and what the sign-in page is told of it. Both base64url without padding. */
export type Pkce = { readonly verifier: string; readonly challenge: string }

/** 86 characters, within the 43 to 128 of https://www.rfc-editor.org/rfc/rfc7636#section-4.1. */
const VERIFIER_BYTES = 64
/** As long as a SHA-256: nobody guesses it within the ten minutes it counts. */
const STATE_BYTES = 32

/** Makes a verifier and its S256 challenge. */
export function makePkce(random: RandomBytes): Pkce {
  const verifier = base64url(random(new Uint8Array(VERIFIER_BYTES)))
  return { verifier, challenge: challengeOf(verifier) }
}

/** Returns the S256 challenge of a verifier. */
export function challengeOf(verifier: string): string {
  return new Bun.CryptoHasher("sha256").update(verifier).digest("base64url")
}

/** Makes the value that ties an answer of the sign-in page to the question. */
export function makeState(random: RandomBytes): string {
  return base64url(random(new Uint8Array(STATE_BYTES)))
}

function base64url(bytes: Uint8Array<ArrayBuffer>): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true })
}
