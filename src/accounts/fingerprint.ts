/** Names for secrets that reveal nothing of them. */

/** Returns the SHA-256 of `text` in lower-case hex. */
export function sha256Hex(text: string): string {
  return Bun.CryptoHasher.hash("sha256", text, "hex")
}

/** Fingerprint of a refresh token: equal for equal tokens, 32 hex digits, safe to store and to log. */
export function refreshFingerprint(refreshToken: string): string {
  return sha256Hex(`refresh\n${refreshToken}`).slice(0, 32)
}
