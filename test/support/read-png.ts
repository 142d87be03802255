/** Opens a PNG as an image viewer does, far enough to tell a picture from bytes that only look like one. */

import { inflateSync } from "node:zlib"

/** Width and height in pixels, and the decompressed scan lines with their filter bytes. */
export type OpenedPng = { readonly width: number; readonly height: number; readonly scanLines: Uint8Array }

const SIGNATURE = "89504e470d0a1a0a"

/** Throws when signature, a checksum, the header or the pixel data is not as https://www.w3.org/TR/png-3/ says. */
export function readPng(bytes: Uint8Array): OpenedPng {
  const file = Buffer.from(bytes)
  if (file.subarray(0, 8).toString("hex") !== SIGNATURE) throw new Error("no PNG signature")
  const data: Buffer[] = []
  let header: Buffer | undefined
  let at = 8
  for (;;) {
    const length = file.readUInt32BE(at)
    const typed = file.subarray(at + 4, at + 8 + length)
    if (Bun.hash.crc32(typed) !== file.readUInt32BE(at + 8 + length)) throw new Error(`wrong checksum at ${at}`)
    const type = typed.subarray(0, 4).toString("latin1")
    if (type === "IHDR") header = typed.subarray(4)
    if (type === "IDAT") data.push(typed.subarray(4))
    if (type === "IEND") break
    at += 12 + length
  }
  if (header === undefined) throw new Error("no header")
  return { width: header.readUInt32BE(0), height: header.readUInt32BE(4), scanLines: inflateSync(Buffer.concat(data)) }
}
