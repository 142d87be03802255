/** A name server that knows nobody and remembers who was asked for: what clients try past the proxy. */

import { readFileSync } from "node:fs"

/** Where the names of a question begin. */
const HEADER_BYTES = 12

/** "There is no such name", with the question behind it. */
const NO_SUCH_NAME = 0x8183

/** One trap. */
export type NameTrap = { readonly names: () => readonly string[]; readonly stop: () => void }

/** Opens the trap at the address this system asks for names; only in a network of our own does anybody get there. */
export async function openNameTrap(): Promise<NameTrap> {
  const names = new Set<string>()
  const socket = await Bun.udpSocket({
    hostname: nameServer(),
    port: 53,
    socket: {
      data: (server, question, port, address) => {
        names.add(nameIn(question))
        const answer = Buffer.from(question)
        answer.writeUInt16BE(NO_SUCH_NAME, 2)
        // Of the sections behind the question there is none in the answer.
        answer.fill(0, 6, HEADER_BYTES)
        server.send(answer.subarray(0, endOfQuestion(answer)), port, address)
      },
    },
  })
  return { names: () => [...names].sort(), stop: () => socket.close() }
}

function nameServer(): string {
  const [, address] = /^nameserver\s+([\d.]+)/m.exec(readFileSync("/etc/resolv.conf", "utf8")) ?? []
  return address ?? "127.0.0.1"
}

function nameIn(question: Buffer): string {
  const labels: string[] = []
  for (let at = HEADER_BYTES; (question[at] ?? 0) > 0; at += (question[at] ?? 0) + 1) {
    labels.push(question.toString("latin1", at + 1, at + 1 + (question[at] ?? 0)))
  }
  return labels.join(".")
}

/** The name, its zero, type and class. */
function endOfQuestion(question: Buffer): number {
  let at = HEADER_BYTES
  while ((question[at] ?? 0) > 0) at += (question[at] ?? 0) + 1
  return at + 5
}
