/** Leads new connections of a shared port to this process, so that none waits at a listener that is about to close. */

import { ptr } from "bun:ffi"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"

import { openLibc } from "./libc.ts"

const SOL_SOCKET = 1
/** asm-generic/socket.h; the same on x86-64 and arm64. */
const SO_ATTACH_REUSEPORT_CBPF = 51
/** Instructions of classic BPF: `BPF_LD | BPF_W | BPF_ABS`, `BPF_ALU | BPF_MOD | BPF_K`, `BPF_ALU | BPF_ADD | BPF_K`, `BPF_RET | BPF_A`. */
const LOAD = 0x20
const MODULO = 0x94
const ADD = 0x04
const RETURN = 0x16
/** A word of chance: `SKF_AD_OFF + SKF_AD_RANDOM`. */
const RANDOM = 0xff_ff_f0_00 + 56
const LISTENING = "0A"

/**
 * Call right after joining `port`: the newest listeners are the last of their group, and share every new connection from now on. When
 * the group shrinks to them, the kernel goes back to its own rule. Linux keeps connections that nobody has accepted yet with the
 * listener that got them, and resets them when it closes: https://lwn.net/Articles/837506/. False = it could not be done.
 */
export function steerHere(port: number): boolean {
  const { own, total } = listenersOf(port)
  const [descriptor] = own
  if (descriptor === undefined || total <= own.length) return false
  const libc = openLibc({ setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" } })
  if (libc === undefined) return false
  const program = chooseFrom(total - own.length, own.length)
  return (
    libc.setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, ptr(program.header), program.header.length) === 0
  )
}

/** This process's descriptors that listen at the port, and how many listeners there are in all. */
function listenersOf(port: number): { readonly own: readonly number[]; readonly total: number } {
  const inodes = new Set(["/proc/self/net/tcp", "/proc/self/net/tcp6"].flatMap(table => listeningInodes(table, port)))
  const own = readdirSync("/proc/self/fd").flatMap(name => {
    const inode = /^socket:\[(\d+)\]$/.exec(targetOf(`/proc/self/fd/${name}`))?.[1]
    return inode !== undefined && inodes.has(inode) ? [Number(name)] : []
  })
  return { own, total: inodes.size }
}

/** Columns of https://docs.kernel.org/networking/proc_net_tcp.html. */
function listeningInodes(table: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0")
  return readText(table)
    .split("\n")
    .slice(1)
    .flatMap(line => {
      const columns = line.trim().split(/\s+/)
      const [, local = "", , state, , , , , , inode] = columns
      return state === LISTENING && local.endsWith(`:${wanted}`) && inode !== undefined ? [inode] : []
    })
}

/** `struct sock_fprog` and the `struct sock_filter`s it points to, which must live as long: any of `count` places from `first` on. */
function chooseFrom(first: number, count: number): { readonly header: Uint8Array; readonly code: Uint8Array } {
  const instructions = [
    [LOAD, RANDOM],
    [MODULO, count],
    [ADD, first],
    [RETURN, 0],
  ] as const
  const code = new Uint8Array(8 * instructions.length)
  const words = new DataView(code.buffer)
  for (const [index, [operation, operand]] of instructions.entries()) {
    words.setUint16(8 * index, operation, true)
    words.setUint32(8 * index + 4, operand, true)
  }
  const header = new Uint8Array(16)
  const fields = new DataView(header.buffer)
  fields.setUint16(0, instructions.length, true)
  fields.setBigUint64(8, BigInt(ptr(code)), true)
  return { header, code }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    // No IPv6, or a hidden /proc: nothing is found there.
    return ""
  }
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // The descriptor of this very listing is closed by now.
    return ""
  }
}
