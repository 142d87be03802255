/** Tells systemd which process the service is by now; its protocol is one datagram: sd_notify(3). */

import { ptr } from "bun:ffi"

import { openLibc } from "./libc.ts"

const AF_UNIX = 1
/** `SOCK_DGRAM | SOCK_CLOEXEC`. */
const DATAGRAM = 0o2000002
/** Of a `struct sockaddr_un`. */
const PATH_BYTES = 108

/** Sends `text` to the socket that `NOTIFY_SOCKET` names. False = there is none, or it could not be reached. */
export function tellServiceManager(text: string, socketPath: string | undefined): boolean {
  if (socketPath === undefined || !/^[/@]/.test(socketPath)) return false
  // A name in the abstract namespace begins with a zero byte.
  const path = Buffer.from(socketPath.replace(/^@/, "\0"))
  if (path.length >= PATH_BYTES) return false
  const libc = openLibc({
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  })
  if (libc === undefined) return false
  const address = Buffer.alloc(2 + PATH_BYTES)
  address.writeUInt16LE(AF_UNIX, 0)
  path.copy(address, 2)
  const message = Buffer.from(text)
  const descriptor = libc.socket(AF_UNIX, DATAGRAM, 0)
  if (descriptor < 0) return false
  // A named path ends with a zero byte; an abstract name is as long as it is said to be.
  const addressBytes = 2 + path.length + (path[0] === 0 ? 0 : 1)
  const sent = libc.sendto(descriptor, ptr(message), message.length, 0, ptr(address), addressBytes)
  libc.close(descriptor)
  return Number(sent) === message.length
}
