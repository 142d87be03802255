/** What an image costs, by its size. Only the head of its data is looked at. */

/** @see https://docs.claude.com/en/docs/build-with-claude/vision width × height / 750 */
const PIXELS_PER_TOKEN = 750
const MAX_TOKENS = 1600
/** For an image whose size cannot be read: an address, a format nobody knows. */
const UNKNOWN_TOKENS = 1600

/** JPEG keeps its size behind embedded profiles and previews. */
const HEAD_CHARS = 400_000

type Size = { readonly width: number; readonly height: number }

/** Returns the tokens of an image given by its URL. */
export function imageTokens(url: string): number {
  const size = sizeOf(url)
  if (size === undefined) return UNKNOWN_TOKENS
  return Math.min(MAX_TOKENS, Math.max(1, Math.ceil((size.width * size.height) / PIXELS_PER_TOKEN)))
}

function sizeOf(url: string): Size | undefined {
  const comma = url.startsWith("data:") ? url.indexOf(",") : -1
  if (comma === -1) return undefined
  const head = Buffer.from(url.slice(comma + 1, comma + 1 + HEAD_CHARS), "base64")
  const readers = [readPng, readGif, readJpeg, readWebp]
  return readers.map(read => read(head)).find(size => size !== undefined)
}

/** PNG (ISO/IEC 15948): the first chunk holds both. */
function readPng(head: Buffer): Size | undefined {
  const isPng = head.length >= 24 && head.toString("latin1", 1, 4) === "PNG"
  return isPng ? { width: head.readUInt32BE(16), height: head.readUInt32BE(20) } : undefined
}

function readGif(head: Buffer): Size | undefined {
  const isGif = head.length >= 10 && head.toString("latin1", 0, 3) === "GIF"
  return isGif ? { width: head.readUInt16LE(6), height: head.readUInt16LE(8) } : undefined
}

/** JPEG (ITU T.81): segments follow one another until a frame header, 0xC0 to 0xCF without 0xC4, 0xC8 and 0xCC. */
function readJpeg(head: Buffer): Size | undefined {
  if (head.length < 4 || head.readUInt16BE(0) !== 0xffd8) return undefined
  let at = 2
  while (at + 9 < head.length && head[at] === 0xff) {
    const marker = head[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return { height: head.readUInt16BE(at + 5), width: head.readUInt16BE(at + 7) }
    at += 2 + head.readUInt16BE(at + 2)
  }
  return undefined
}

/** WebP: lossy, lossless and extended files each keep their size elsewhere (RFC 9649). */
function readWebp(head: Buffer): Size | undefined {
  if (head.length < 30 || head.toString("latin1", 8, 12) !== "WEBP") return undefined
  switch (head.toString("latin1", 12, 16)) {
    case "VP8 ":
      return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff }
    case "VP8L": {
      const bits = head.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case "VP8X":
      return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 }
    default:
      return undefined
  }
}
