/**
 * The upstream of the bench, in a process of its own: turns are answered with the simulator's bytes at the pace their
 * prompt asks for, everything else by the simulator itself. Its parent hears where it listens and whom it knows.
 */

import { Buffer } from "node:buffer"

import { startSimulator } from "#simulator/simulator.ts"

import { type AnswerScript, recordAnswer } from "./answer-script.ts"
import { type MessageReader, makeMessageReader } from "./http-messages.ts"
import { type AnswerWish, nowMicros, putStamp, readWish, STAMP_DIGITS } from "./marks.ts"
import { makeOutbox, type Outbox } from "./outbox.ts"
import { makePacer } from "./pacer.ts"

type Connection = { readonly reader: MessageReader; readonly outbox: Outbox; isOpen: boolean }

const ACCOUNTS = 12
const simulator = startSimulator({ accounts: ACCOUNTS })
const accounts = simulator.control.accounts().map(({ name }) => simulator.control.accountFile(name))
const [account] = accounts
if (account === undefined) throw new Error("the simulator has no account")
const script: AnswerScript = await recordAnswer(`${simulator.url}/backend-api/codex/responses`, {
  authorization: `Bearer ${account.access_token}`,
  "chatgpt-account-id": account.account_id,
  originator: "codex_cli_rs",
  "user-agent": "codex_cli_rs/0.155.0",
  version: "0.155.0",
})
const head = script.head()
const pacer = makePacer()

function answerPaced(connection: Connection, wish: AnswerWish): void {
  const stamps: string[] = []
  connection.outbox.write(head)
  const next = () => {
    if (!connection.isOpen) return
    const { bytes, stampAt } = script.delta(stamps.length, wish.paddingBytes)
    putStamp(bytes, stampAt, nowMicros())
    connection.outbox.write(bytes)
    stamps.push(bytes.toString("latin1", stampAt, stampAt + STAMP_DIGITS))
    if (stamps.length < wish.events) pacer.after(wish.everyMs, next)
    else connection.outbox.write(script.tail(wish, stamps))
  }
  next()
}

/** Model lists, quota and sign-in: the simulator's own answers. */
async function answerOther(connection: Connection, requestHead: string, body: Buffer): Promise<void> {
  const [start = "", ...lines] = requestHead.split("\r\n")
  const [method = "GET", path = "/"] = start.split(" ")
  const headers = new Headers(
    lines.map(line => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  )
  headers.delete("host")
  headers.delete("connection")
  headers.delete("accept-encoding")
  const hasBody = method !== "GET" && method !== "HEAD"
  const response = await fetch(`${simulator.url}${path}`, {
    method,
    headers,
    ...(hasBody && { body: body.toString() }),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const type = response.headers.get("content-type") ?? "application/json"
  const etag = response.headers.get("etag")
  const fields = `content-type: ${type}\r\n${etag === null ? "" : `etag: ${etag}\r\n`}content-length: ${bytes.length}`
  const answer = Buffer.concat([Buffer.from(`HTTP/1.1 ${response.status} -\r\n${fields}\r\n\r\n`), bytes])
  if (connection.isOpen) connection.outbox.write(answer)
}

function makeConnection(outbox: Outbox): Connection {
  let requestHead = ""
  let pieces: Buffer[] = []
  const reader = makeMessageReader("requests", {
    head: text => {
      requestHead = text
      pieces = []
    },
    body: bytes => {
      pieces.push(Buffer.from(bytes))
    },
    end: () => {
      const body = pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces)
      const wish = requestHead.startsWith("POST ") ? readWish(body) : undefined
      if (wish === undefined) void answerOther(connection, requestHead, body)
      else if (wish.everyMs === 0) connection.outbox.write(script.whole(wish))
      else answerPaced(connection, wish)
    },
  })
  const connection: Connection = { reader, outbox, isOpen: true }
  return connection
}

const listener = Bun.listen<Connection>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open: socket => {
      socket.data = makeConnection(makeOutbox(socket))
    },
    data: (socket, bytes) => socket.data.reader.push(bytes),
    drain: socket => socket.data.outbox.drain(),
    close: socket => {
      socket.data.isOpen = false
    },
  },
})

process.send?.({ port: listener.port, simulatorUrl: simulator.url, accounts })
process.on("disconnect", () => process.exit(0))
