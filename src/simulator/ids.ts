/** Ids that look like the backend's and come out the same on every run with the same seed. */

/** Makes the ids of one simulator; every call gives a new one. */
export type Ids = {
  /** `length` lower-case hex digits, at most 64. */
  readonly hex: (length: number) => string
  /** `prefix_` + 50 hex digits, e.g. `msg_…`. */
  readonly item: (prefix: string) => string
  /** `call_` + 24 letters and digits. */
  readonly callId: () => string
  readonly uuid: () => string
}

/** Returns the SHA-256 of `text` in hex. */
export function sha256Hex(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex")
}

/** Makes ids from a seed and a counter. */
export function makeIds(parts: { readonly seed: string }): Ids {
  let counter = 0
  const next = () => {
    counter += 1
    return sha256Hex(`${parts.seed}:${counter}`)
  }
  return {
    hex: length => next().slice(0, length),
    item: prefix => `${prefix}_${next().slice(0, 50)}`,
    callId: () => `call_${next().slice(0, 24)}`,
    uuid: () => uuidFromHex(next()),
  }
}

/** Shapes 32 hex digits as a version 4 UUID (RFC 9562, https://www.rfc-editor.org/rfc/rfc9562). */
function uuidFromHex(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
