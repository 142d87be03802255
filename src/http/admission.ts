/** Who may come in: client keys in every place clients put them, compared in a time that says nothing about them. */

import { GatewayError } from "#core/errors.ts"
import type { Principal } from "#core/request.ts"
import type { StoredKeys } from "#gateway/keys/stored-keys.ts"

import { clientAddress } from "./client-address.ts"

/** Checks the key of a request. */
export type Admission = {
  /** There are keys: who has one may come from anywhere. */
  readonly needsKey: () => boolean
  /**
   * Returns who is asking; `peerOf` tells the address of the connection. Throws `unauthorized` for a key that is none,
   * `forbidden` for one that may not come in, or for a foreign page when there are no keys, and `key-store-unavailable`
   * when nobody can tell.
   */
  readonly admit: (request: Request, url: URL, peerOf: PeerOf) => Principal
}

/** The address the request's connection comes from. */
export type PeerOf = (request: Request) => string | undefined

const ANONYMOUS: Principal = { keyId: "anonymous" }

/** Makes the check for the configured and the stored keys; without any, everyone on this machine is admitted. */
export function makeAdmission(apiKeys: readonly string[], stored: StoredKeys): Admission {
  const known = apiKeys.map(key => {
    const digest = sha256(key)
    return { digest, principal: { keyId: digest.toString("hex").slice(0, 8) } }
  })
  const needsKey = () => known.length > 0 || stored.areNeeded()
  return {
    needsKey,
    admit: (request, url, peerOf) => {
      if (!needsKey()) return admitLocal(request, url)
      const presented = presentedKeys(request.headers, url)
      if (presented.length === 0) throw noKey(known.length, stored)
      return (
        admitConfigured(presented, known) ??
        admitStored(presented, stored, () => clientAddress(request.headers, peerOf(request), stored.trustedProxies()))
      )
    },
  }
}

type ConfiguredKey = { readonly digest: Buffer; readonly principal: Principal }

/** Every key is compared, equal or not, so that the time says nothing about which one was close. */
function admitConfigured(presented: readonly string[], known: readonly ConfiguredKey[]): Principal | undefined {
  if (known.length === 0) return undefined
  const digests = presented.map(sha256)
  let principal: Principal | undefined
  for (const key of known) {
    for (const digest of digests) if (crypto.timingSafeEqual(key.digest, digest)) principal ??= key.principal
  }
  return principal
}

/** Without a readable store nobody knows whether a key is needed, unless the configuration has some. */
function noKey(configured: number, stored: StoredKeys): GatewayError {
  if (configured === 0) stored.ensureReadable()
  return unauthorized("No API key was sent.")
}

/** The first good key counts; if there is none, why the first known one is not good says more than that the others are unknown. */
function admitStored(presented: readonly string[], stored: StoredKeys, address: () => bigint | undefined): Principal {
  let refusal: unknown
  for (const text of presented) {
    try {
      const principal = stored.admit(text, address)
      if (principal !== undefined) return principal
    } catch (cause) {
      // Thrown below unless another key is good.
      refusal ??= cause
    }
  }
  throw refusal ?? unauthorized("The API key is not known here.")
}

/**
 * Without keys the loopback address is the only fence, and a web page in the user's browser is inside it: by its own
 * origin, by an opaque one (`null`, from a sandboxed frame), or by a host name of its own that it points at this machine.
 */
function admitLocal(request: Request, url: URL): Principal {
  const origin = request.headers.get("origin")
  const fromPage = origin !== null && (origin === "null" || /^https?:/.test(origin))
  const foreign = fromPage && !isLoopbackName(URL.parse(origin)?.hostname ?? "")
  if (!foreign && isLoopbackName(url.hostname)) return ANONYMOUS
  throw new GatewayError("forbidden", "Requests from other sites, or to other host names, need an API key.", {
    hint: "Set `api-keys` and send one of them, or ask for http://127.0.0.1 or http://localhost.",
  })
}

/** True for a request that brings a client key, good or not any more; without keys no request does. */
export function hasKnownKey(admission: Admission, request: Request, url: URL, peerOf: PeerOf): boolean {
  if (!admission.needsKey()) return false
  try {
    admission.admit(request, url, peerOf)
    return true
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause
    return cause.kind === "forbidden"
  }
}

/** True for the names browsers give this machine. */
export function isLoopbackName(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host)
}

/** The token of `Authorization: Bearer`; undefined when there is none. */
export function bearerOf(headers: Headers): string | undefined {
  const authorization = headers.get("authorization")
  return authorization === null ? undefined : /^Bearer\s+(.+)$/i.exec(authorization)?.[1]
}

/** Compares two texts in a time that says nothing about where they differ. */
export function isSameText(left: string, right: string): boolean {
  return crypto.timingSafeEqual(sha256(left), sha256(right))
}

/**
 * Finds the keys: `Authorization: Bearer`, `x-api-key`, `x-goog-api-key`, `?key=`. One good key is enough: some clients
 * send a second header with a key for somebody else.
 */
function presentedKeys(headers: Headers, url: URL): readonly string[] {
  const places = [
    bearerOf(headers),
    headers.get("x-api-key"),
    headers.get("x-goog-api-key"),
    url.searchParams.get("key"),
  ]
  return places.filter(key => key !== undefined && key !== null)
}

function sha256(text: string): Buffer {
  return Buffer.from(new Bun.CryptoHasher("sha256").update(text).digest())
}

function unauthorized(message: string): GatewayError {
  return new GatewayError("unauthorized", message, {
    code: "invalid_api_key",
    hint: "Send one of the configured `api-keys`, or one that `sluice keys create` has made, as a Bearer token or in `x-api-key`.",
  })
}
