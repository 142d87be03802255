/** Takes the events out of a Responses stream: on a socket each is a frame of its own, without the stream's framing. */

import { makeSseSplitter, readSseFrame } from "#wire/sse-splitter.ts"

/** Takes bytes of a stream in pieces of any size; returns the data of the events that are whole now. */
export type EventTexts = (chunk: Uint8Array) => readonly string[]

/** Makes a reader for one answer. Comments and whatever carries no data are left out. */
export function makeEventTexts(): EventTexts {
  const utf8 = new TextDecoder()
  let texts: string[] = []
  const splitter = makeSseSplitter({
    onFrame: (text, start, end, dataAt) => {
      const data = dataAt === -1 ? readSseFrame(text.slice(start, end)).data : text.slice(dataAt, end)
      if (data !== "" && data !== "[DONE]") texts.push(data)
    },
  })
  return chunk => {
    texts = []
    splitter.push(utf8.decode(chunk, { stream: true }))
    return texts
  }
}
