/** A plain reader of whole event streams, independent of the code under test. */

/** One event as a client reads it. */
export type ReadEvent = { readonly event: string; readonly data: string }

/** Reads a whole stream with LF line ends; comments are dropped. */
export function readEvents(stream: string): readonly ReadEvent[] {
  if (!stream.endsWith("\n\n") && stream !== "") throw new Error("the stream ends inside a frame")
  return stream
    .split("\n\n")
    .map(frame => frame.split("\n").filter(line => line !== "" && !line.startsWith(":")))
    .filter(lines => lines.length > 0)
    .map(lines => ({
      event: lines.find(line => line.startsWith("event: "))?.slice(7) ?? "",
      data: lines
        .filter(line => line.startsWith("data: "))
        .map(line => line.slice(6))
        .join("\n"),
    }))
}
