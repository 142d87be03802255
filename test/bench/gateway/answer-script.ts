/** The bytes of an answer of any length, cut from one that the simulator has really given. */

import { Buffer } from "node:buffer"

import { type AnswerWish, NO_STAMP, STAMP_MARK } from "./marks.ts"

/** One chunk of the body with its HTTP framing, and where its moment goes. */
export type StampedChunk = { readonly bytes: Buffer; readonly stampAt: number }

/** Writes answers. */
export type AnswerScript = {
  readonly head: () => Buffer
  /** The event with this number. The buffer is shared: write the moment, send it, forget it. */
  readonly delta: (index: number, paddingBytes: number) => StampedChunk
  /** Everything after the last delta, with the text that the deltas made. */
  readonly tail: (wish: AnswerWish, stamps: readonly string[]) => Buffer
  /** The whole body in one piece, without moments. */
  readonly whole: (wish: AnswerWish) => Buffer
}

/** Two words, so that the recording has a delta that can be told from the rest. */
const RECORDED_EVENTS = 2
const RESPONSE_HEAD =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
const DELTA_EVENT = "event: response.output_text.delta\n"

/** Asks a simulator for one answer and learns from it. */
export async function recordAnswer(url: string, headers: Record<string, string>): Promise<AnswerScript> {
  const prompt = `[[simulate: text words=${RECORDED_EVENTS}]] go`
  const input = [{ type: "message", role: "user", content: [{ type: "input_text", text: prompt }] }]
  const body = JSON.stringify({ model: "gpt-5.5", instructions: "", input, store: false, stream: true })
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`the simulator answered ${response.status}: ${text.slice(0, 400)}`)
  return makeScript(text)
}

function makeScript(recorded: string): AnswerScript {
  const frames = recorded.split("\n\n").filter(frame => frame !== "")
  const isDelta = (frame: string) => frame.startsWith(DELTA_EVENT)
  const first = frames.findIndex(isDelta)
  const last = frames.findLastIndex(isDelta)
  const sample = frames[first]
  if (sample === undefined) throw new Error(`the simulator sent no text:\n${recorded.slice(0, 400)}`)
  const text = frames
    .slice(first, last + 1)
    .map(deltaText)
    .join("")
  const head = framed(frames.slice(0, first))
  const tail = framed(frames.slice(last + 1))
  const literal = JSON.stringify(text).slice(1, -1)
  if (!tail.includes(literal)) throw new Error("the simulator's last events do not repeat its text")
  const firstNumber = sequenceOf(sample)
  const deltas = new Map<number, StampedChunk[]>()
  const deltaFrame = (index: number, paddingBytes: number) =>
    `${sample
      .replace(/"sequence_number":\d+/, `"sequence_number":${firstNumber + index}`)
      .replace(/"delta":"[^"]*"/, `"delta":"${eventText(NO_STAMP, paddingBytes)}"`)}\n\n`
  const tailText = ({ events, paddingBytes }: AnswerWish, stamps: readonly string[]) => {
    const whole = Array.from({ length: events }, (_, index) => eventText(stamps[index] ?? NO_STAMP, paddingBytes)).join(
      "",
    )
    return tail
      .replaceAll(literal, () => whole)
      .replaceAll(/"sequence_number":(\d+)/g, (_, number: string) => {
        return `"sequence_number":${Number(number) - RECORDED_EVENTS + events}`
      })
  }
  const wholes = new Map<string, Buffer>()
  return {
    head: () => Buffer.concat([Buffer.from(RESPONSE_HEAD), chunked(head)]),
    delta: (index, paddingBytes) => {
      const known = deltas.get(paddingBytes) ?? []
      deltas.set(paddingBytes, known)
      const chunk = known[index] ?? stamped(chunked(deltaFrame(index, paddingBytes)))
      known[index] = chunk
      return chunk
    },
    tail: (wish, stamps) => Buffer.concat([chunked(tailText(wish, stamps)), LAST_CHUNK]),
    whole: wish => {
      const name = `${wish.events} ${wish.paddingBytes}`
      const known = wholes.get(name)
      if (known !== undefined) return known
      const deltaTexts = Array.from({ length: wish.events }, (_, index) => deltaFrame(index, wish.paddingBytes))
      const body = chunked(head + deltaTexts.join("") + tailText(wish, []))
      const bytes = Buffer.concat([Buffer.from(RESPONSE_HEAD), body, LAST_CHUNK])
      wholes.set(name, bytes)
      return bytes
    },
  }
}

const LAST_CHUNK = Buffer.from("0\r\n\r\n")

function eventText(stamp: string, paddingBytes: number): string {
  return ` ${STAMP_MARK}${stamp}${"x".repeat(paddingBytes)}`
}

function framed(frames: readonly string[]): string {
  return frames.map(frame => `${frame}\n\n`).join("")
}

function chunked(text: string): Buffer {
  const body = Buffer.from(text)
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")])
}

function stamped(bytes: Buffer): StampedChunk {
  return { bytes, stampAt: bytes.indexOf(STAMP_MARK) + STAMP_MARK.length }
}

function deltaText(frame: string): string {
  const data: { delta: string } = JSON.parse(frame.slice(frame.indexOf("data: ") + 6))
  return data.delta
}

function sequenceOf(frame: string): number {
  return Number(/"sequence_number":(\d+)/.exec(frame)?.[1])
}
