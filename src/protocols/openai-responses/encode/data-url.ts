/** Repair of data URLs whose base64 is URL-safe or unpadded; the upstream takes only the standard form. */

/** Returns `url` itself unless it is a base64 data URL that needs repair. Scans once, copies only when needed. */
export function repairDataUrl(url: string): string {
  if (!url.startsWith("data:")) return url
  const comma = url.indexOf(",")
  if (comma === -1 || !url.slice(0, comma).endsWith(";base64")) return url
  const start = comma + 1
  const isUrlSafe = url.indexOf("-", start) !== -1 || url.indexOf("_", start) !== -1
  const missing = missingPadding(url.length - start)
  if (!isUrlSafe && missing === 0) return url
  const payload = isUrlSafe ? url.slice(start).replaceAll("-", "+").replaceAll("_", "/") : url.slice(start)
  return url.slice(0, start) + payload + "=".repeat(missing)
}

/** A remainder of 1 cannot come from base64: padding would not mend it. */
function missingPadding(lengthChars: number): number {
  const remainder = lengthChars % 4
  return remainder === 2 || remainder === 3 ? 4 - remainder : 0
}
