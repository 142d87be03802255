/** Who may use the operators' surface: whoever has the admin key, or without one whoever sits at this machine. */

import { GatewayError } from "#core/errors.ts"

import { bearerOf, isLoopbackName, isSameText } from "./admission.ts"

/** Checks a request for the operators' surface. */
export type AdminAdmission = {
  /** `peer` is the address the connection comes from. Throws `unauthorized` or `forbidden`. */
  readonly admit: (request: Request, url: URL, peer: string | undefined) => void
}

/** Makes the check; a blank key admits connections from this machine only. */
export function makeAdminAdmission(adminKey: string): AdminAdmission {
  return adminKey === "" ? { admit: admitLocal } : { admit: request => admitKey(request, adminKey) }
}

function admitKey({ headers }: Request, adminKey: string): void {
  const presented = headers.get("x-admin-key") ?? bearerOf(headers) ?? headers.get("x-api-key")
  if (presented !== null && presented !== undefined && isSameText(presented, adminKey)) return
  throw new GatewayError("unauthorized", presented === null ? "No admin key was sent." : "The admin key is wrong.", {
    code: "invalid_admin_key",
    hint: "Send `admin-key` (ADMIN_SECRET in the environment) in `X-Admin-Key`, or as a Bearer token.",
  })
}

/** What proxies add: behind one, every client seems to be this machine. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via", "cf-connecting-ip"]

/**
 * A connection from this machine, not passed on by a proxy, and not driven by a web page: neither one of another origin nor
 * one whose own host name was pointed here.
 */
function admitLocal({ headers }: Request, url: URL, peer: string | undefined): void {
  const origin = headers.get("origin")
  // Pictures, scripts and links of a page come without an origin; browsers tell of these in a header of its own.
  const isOwnSite = headers.get("sec-fetch-site") !== "cross-site"
  const isOwnPage = isOwnSite && (origin === null || isLoopbackName(URL.parse(origin)?.hostname ?? ""))
  const isDirect = !FORWARDED.some(name => headers.has(name))
  if (peer !== undefined && isLoopbackAddress(peer) && isLoopbackName(url.hostname) && isOwnPage && isDirect) return
  throw new GatewayError("forbidden", "Without an admin key this is only open to the gateway's own machine.", {
    code: "admin_key_required",
    hint: "Set `admin-key` (or ADMIN_SECRET in the environment) and send it in `X-Admin-Key`.",
  })
}

function isLoopbackAddress(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)
}
