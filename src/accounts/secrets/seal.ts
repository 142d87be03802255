/** Seals single texts with AES-256-GCM, each bound to the place it is stored at. */

import { createCipheriv, createDecipheriv } from "node:crypto"

import { GatewayError } from "#core/errors.ts"
import type { RandomBytes } from "#core/ids.ts"

import type { MasterKey } from "./master-key.ts"

/** Where a sealed text lies. It opens at no other place, so rows cannot be exchanged for each other. */
export type SealPlace = { readonly table: string; readonly accountId: string; readonly field: string }

/** Seals and opens with one key. */
export type Sealer = {
  readonly keyId: string
  /** Returns `v1:<keyId>:<nonce>:<ciphertext and tag>`, the last two in base64url. */
  readonly seal: (text: string, place: SealPlace) => string
  /** Throws `internal`, without any of the text, for what this key did not seal at this place. */
  readonly open: (sealed: string, place: SealPlace) => string
}

const CIPHER = "aes-256-gcm"
/** Sizes of NIST SP 800-38D: a random nonce of 96 bits, a tag of 128. */
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Without the body, which is long: a pattern over it takes longer than opening it. */
const ENVELOPE_HEAD = /^v1:([0-9a-f]{8}):([\w-]{16}):/

/** True for a sealed text of this or a later version; stored JSON never begins like one. */
export function isSealed(text: string): boolean {
  return /^v[0-9]+:/.test(text)
}

/** As JSON, so that no two places read the same. */
function associatedData(keyId: string, { table, accountId, field }: SealPlace): Buffer {
  return Buffer.from(JSON.stringify(["v1", keyId, table, accountId, field]))
}

function refuse({ table, accountId, field }: SealPlace, reason: string, cause?: unknown): GatewayError {
  const owner = accountId === "" ? "" : ` of ${accountId}`
  return new GatewayError("internal", `The sealed ${field}${owner} in ${table} ${reason}.`, {
    hint: "Restore the data directory and its master key from one backup, or move core.db away to go on with the account files alone.",
    cause,
  })
}

/** Returns the bytes of base64url; undefined for what the decoder would pass over: other characters and a loose end. */
function decodeBody(body: string): Buffer | undefined {
  const bytes = Buffer.from(body, "base64url")
  const isWhole = bytes.length === Math.floor((body.length * 3) / 4) && body.length % 4 !== 1
  const end = body.length % 4 === 0 ? "" : body.slice(-(body.length % 4))
  const isExact = Buffer.from(end, "base64url").toString("base64url") === end
  return isWhole && isExact && bytes.length >= TAG_BYTES ? bytes : undefined
}

function openWith(key: MasterKey, sealed: string, place: SealPlace): string {
  const [head, keyId, nonce] = ENVELOPE_HEAD.exec(sealed) ?? []
  if (head === undefined || keyId === undefined || nonce === undefined) throw refuse(place, "has no known form")
  if (keyId !== key.id) throw refuse(place, `was sealed with the key ${keyId}; the key in use is ${key.id}`)
  const bytes = decodeBody(sealed.slice(head.length))
  if (bytes === undefined) throw refuse(place, "has no known form")
  try {
    const decipher = createDecipheriv(CIPHER, key.secret, Buffer.from(nonce, "base64url"), { authTagLength: TAG_BYTES })
    decipher.setAAD(associatedData(key.id, place))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8")
  } catch (cause) {
    throw refuse(place, "was changed, or belongs to another row", cause)
  }
}

/** Makes the sealer of a key. */
export function makeSealer({ key, random }: { readonly key: MasterKey; readonly random: RandomBytes }): Sealer {
  return {
    keyId: key.id,
    seal: (text, place) => {
      const nonce = Buffer.from(random(new Uint8Array(NONCE_BYTES)))
      const cipher = createCipheriv(CIPHER, key.secret, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(associatedData(key.id, place))
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()])
      return `v1:${key.id}:${nonce.toString("base64url")}:${body.toString("base64url")}`
    },
    open: (sealed, place) => openWith(key, sealed, place),
  }
}
