/** Media inside of a body: its base64 in every form clients write, and what its bytes say it is. */

/** How much of the base64 is looked at: 16 bytes hold every signature. */
const HEAD_CHARS = 24

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/** Standard alphabet and padding from every form clients write; undefined for what is no base64. */
export function plainBase64(source: string): string | undefined {
  const bare = source.replace(/\s+/g, "").replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "")
  if (bare === "" || !BASE64.test(bare) || bare.length % 4 === 1) return undefined
  return bare.padEnd(Math.ceil(bare.length / 4) * 4, "=")
}

/** Returns the media type that the first bytes tell of: PNG, JPEG, GIF, WebP or PDF. */
export function sniffMediaType(data: string): string | undefined {
  const head = Buffer.from(data.slice(0, HEAD_CHARS), "base64").toString("latin1")
  if (head.startsWith("\x89PNG")) return "image/png"
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg"
  if (head.startsWith("GIF8")) return "image/gif"
  if (head.startsWith("RIFF") && head.startsWith("WEBP", 8)) return "image/webp"
  if (head.startsWith("%PDF")) return "application/pdf"
  return undefined
}
