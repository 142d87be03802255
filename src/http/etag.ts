/** Conditional requests: does the client hold the present version already? */

/**
 * True when `ifNoneMatch` names `etag`, `*`, or a list with it. Tags are compared weakly, as RFC 9110 section 13.1.2 asks
 * for; ours contain no comma, so a list may be split at every one.
 */
export function holdsVersion(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false
  return ifNoneMatch.split(",").some(known => known.trim() === "*" || opaque(known) === opaque(etag))
}

function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, "")
}
