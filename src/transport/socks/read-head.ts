/** Reads the head of an HTTP request from a socket and leaves its body there. */

import type { Socket } from "node:net"

/** More than any request of ours has in front of its body. */
const MAX_HEAD_BYTES = 256 * 1024

const BLANK_LINE = "\r\n\r\n"

/** Returns the head without its blank line; undefined when it is too long, does not end, or is not there within `limitMs`. */
export function readHead(socket: Socket, limitMs: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  let seen: Buffer = Buffer.alloc(0)
  const look = () => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    const end = seen.indexOf(BLANK_LINE)
    if (end < 0) {
      if (seen.length > MAX_HEAD_BYTES) finish(undefined)
      return
    }
    const rest = seen.subarray(end + BLANK_LINE.length)
    if (rest.length > 0) socket.unshift(rest)
    finish(seen.toString("latin1", 0, end))
  }
  const fail = () => finish(undefined)
  const timer = setTimeout(fail, limitMs)
  const finish = (head: string | undefined) => {
    clearTimeout(timer)
    socket.off("readable", look)
    for (const event of ["end", "close"]) socket.off(event, fail)
    resolve(head)
  }
  socket.on("readable", look)
  for (const event of ["end", "close"]) socket.once(event, fail)
  return promise
}
