/** The client's side of a SOCKS5 handshake (RFC 1928, login by RFC 1929) on a socket that is open already. */

import { isIP, type Socket } from "node:net"

import type { SocksLogin } from "./address.ts"
import { failureOfReply, SocksFailure } from "./failure.ts"
import { readExactly } from "./read-exactly.ts"

const VERSION = 5
const LOGIN_VERSION = 1
const METHOD_NONE = 0
const METHOD_LOGIN = 2
const METHOD_NO_MATCH = 0xff
const COMMAND_CONNECT = 1
const TYPE_IPV4 = 1
const TYPE_NAME = 3
const TYPE_IPV6 = 4

/** Where a connection is to lead; `host` is a name or an address without brackets. */
export type Target = { readonly host: string; readonly port: number }

/** Agrees on a method and logs in. Throws `SocksFailure`; rejects with the signal's reason once that is aborted. */
export async function greetProxy(socket: Socket, login: SocksLogin | undefined, signal: AbortSignal): Promise<void> {
  const methods = login === undefined ? [METHOD_NONE] : [METHOD_NONE, METHOD_LOGIN]
  socket.write(Uint8Array.of(VERSION, methods.length, ...methods))
  const [version, method] = await readExactly(socket, 2, signal)
  if (version !== VERSION) throw new SocksFailure("socks_not_spoken")
  if (method === METHOD_NONE) return
  // Some proxies refuse the whole offer when they know who is asking and do not like it; with a login it is the login's fault.
  if (method === METHOD_NO_MATCH) throw new SocksFailure(login ? "socks_login_refused" : "socks_login_required")
  if (method !== METHOD_LOGIN || login === undefined) throw new SocksFailure("socks_not_spoken")
  socket.write(
    Buffer.concat([
      Uint8Array.of(LOGIN_VERSION, login.user.length),
      login.user,
      Uint8Array.of(login.password.length),
      login.password,
    ]),
  )
  const [, status] = await readExactly(socket, 2, signal)
  if (status !== 0) throw new SocksFailure("socks_login_refused")
}

/**
 * Asks for the connection. When it resolves the socket leads to the target, and the first byte it gives is the target's. Throws
 * as {@link greetProxy} does.
 */
export async function askForTarget(socket: Socket, target: Target, signal: AbortSignal): Promise<void> {
  const port = Uint8Array.of(target.port >> 8, target.port & 0xff)
  socket.write(Buffer.concat([Uint8Array.of(VERSION, COMMAND_CONNECT, 0), encodeHost(target.host), port]))
  const [version, reply = 1, , type] = await readExactly(socket, 4, signal)
  if (version !== VERSION) throw new SocksFailure("socks_not_spoken")
  if (reply !== 0) throw new SocksFailure(failureOfReply(reply))
  // The address that the proxy has bound means nothing to us, but it stands before the target's first byte.
  await readExactly(socket, (await boundLength(socket, type, signal)) + 2, signal)
}

async function boundLength(socket: Socket, type: number | undefined, signal: AbortSignal): Promise<number> {
  if (type === TYPE_IPV4) return 4
  if (type === TYPE_IPV6) return 16
  if (type !== TYPE_NAME) throw new SocksFailure("socks_not_spoken")
  const [length = 0] = await readExactly(socket, 1, signal)
  return length
}

function encodeHost(host: string): Uint8Array {
  const family = isIP(host)
  if (family === 4) return Uint8Array.of(TYPE_IPV4, ...host.split(".").map(Number))
  if (family === 6) return Uint8Array.of(TYPE_IPV6, ...ipv6Bytes(host))
  const name = Buffer.from(host)
  if (name.length === 0 || name.length > 255) throw new SocksFailure("socks_target_unreachable")
  return Uint8Array.of(TYPE_NAME, name.length, ...name)
}

/** An address in any of its forms; `URL` turns an IPv4 tail into two groups. */
function ipv6Bytes(host: string): number[] {
  const text = new URL(`http://[${host}]/`).hostname.slice(1, -1)
  const [head = "", tail] = text.split("::")
  const groupsOf = (part: string) => (part === "" ? [] : part.split(":").map(group => Number.parseInt(group, 16)))
  const before = groupsOf(head)
  const after = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array<number>(8 - before.length - after.length).fill(0)
  return [...before, ...zeros, ...after].flatMap(group => [group >> 8, group & 0xff])
}
