/** A bare HTTP/1.1 client over one socket: sees resets, missing last chunks and bytes as they come. */

import { connect, type Socket } from "node:net"

/** What to send. A body that is a list is sent as chunks of a chunked body, `end` left to the caller. */
export type RawRequest = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** How a connection ended: `whole` = with the last chunk or all declared bytes, `cut` = without. */
export type RawEnd = "whole" | "cut"

/** One exchange on one socket. */
export type RawExchange = {
  readonly socket: Socket
  /** Resolves with the status once the head is complete; rejects when the connection ends before. */
  readonly status: Promise<number>
  /** Lower-case names; empty before the head is complete. */
  readonly headers: () => Readonly<Record<string, string>>
  /** Decoded body so far. */
  readonly text: () => string
  /** Resolves with the body so far as soon as it contains `part`; rejects when the body ends without it. */
  readonly until: (part: string) => Promise<string>
  readonly ended: Promise<RawEnd>
  /** Breaks the connection off as a killed client does. */
  readonly leave: () => void
}

type Progress = { head: string | undefined; raw: Buffer; body: string; end: RawEnd | undefined }

/** Opens a connection, sends the request, or its head without the end, and reads whatever comes. */
export function rawRequest(origin: string, request: RawRequest, extent: "whole" | "head-only" = "whole"): RawExchange {
  const { hostname, port } = new URL(origin)
  const progress: Progress = { head: undefined, raw: Buffer.alloc(0), body: "", end: undefined }
  const status = Promise.withResolvers<number>()
  const ended = Promise.withResolvers<RawEnd>()
  status.promise.catch(() => {})
  const watchers = new Set<() => void>()
  const socket = connect({ host: hostname, port: Number(port) })

  const settle = () => {
    if (progress.head !== undefined) status.resolve(Number(progress.head.split(" ")[1]))
    if (progress.end !== undefined) ended.resolve(progress.end)
    for (const watch of watchers) watch()
  }
  socket.on("data", piece => {
    progress.raw = Buffer.concat([progress.raw, typeof piece === "string" ? Buffer.from(piece) : piece])
    readOn(progress)
    settle()
  })
  socket.on("error", () => {})
  socket.on("close", () => {
    progress.end ??= "cut"
    status.reject(new Error("the connection ended before an answer"))
    settle()
  })
  const text = headText(request, hostname)
  // Without the empty line the head is not over.
  socket.write(extent === "whole" ? text : text.slice(0, text.indexOf("\r\n\r\n")))
  return {
    socket,
    status: status.promise,
    headers: () => headersOf(progress.head ?? ""),
    text: () => progress.body,
    until: part =>
      new Promise((resolve, reject) => {
        const watch = () => {
          if (progress.body.includes(part)) resolve(progress.body)
          else if (progress.end !== undefined) reject(new Error(`the body ended without "${part}": ${progress.body}`))
          else return
          watchers.delete(watch)
        }
        watchers.add(watch)
        watch()
      }),
    ended: ended.promise,
    leave: () => socket.destroy(),
  }
}

function headText(request: RawRequest, host: string): string {
  const { body } = request
  const headers = {
    host,
    ...(body !== undefined && {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
    }),
    ...request.headers,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${request.method ?? "POST"} ${request.path} HTTP/1.1\r\n${lines.join("")}\r\n${body ?? ""}`
}

function headersOf(head: string): Readonly<Record<string, string>> {
  const pairs = head
    .split("\r\n")
    .slice(1)
    .map(line => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()] as const)
  return Object.fromEntries(pairs)
}

/** Takes what is complete off `raw`. */
function readOn(progress: Progress): void {
  if (progress.head === undefined) {
    const end = progress.raw.indexOf("\r\n\r\n")
    if (end < 0) return
    progress.head = progress.raw.subarray(0, end).toString("latin1")
    progress.raw = progress.raw.subarray(end + 4)
  }
  const headers = headersOf(progress.head)
  if (headers["transfer-encoding"] === "chunked") readChunks(progress)
  else readPlain(progress, Number(headers["content-length"] ?? 0))
}

function readPlain(progress: Progress, declaredBytes: number): void {
  progress.body = progress.raw.toString()
  if (progress.raw.length >= declaredBytes) progress.end = "whole"
}

function readChunks(progress: Progress): void {
  for (;;) {
    const line = progress.raw.indexOf("\r\n")
    if (line < 0) return
    const sizeBytes = Number.parseInt(progress.raw.subarray(0, line).toString("latin1"), 16)
    const next = line + 2 + sizeBytes + 2
    if (progress.raw.length < next) return
    if (sizeBytes === 0) progress.end = "whole"
    progress.body += progress.raw.subarray(line + 2, line + 2 + sizeBytes).toString()
    progress.raw = progress.raw.subarray(next)
    if (sizeBytes === 0) return
  }
}
