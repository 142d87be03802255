/** Changes places of a text and keeps everything between them. */

/** At `at`, `remove` characters give way to `insert`. */
export type Splice = { readonly at: number; readonly remove: number; readonly insert: string }

/** Applies splices that do not overlap; those at one place stand in the order given. */
export function spliceText(text: string, splices: readonly Splice[]): string {
  const parts: string[] = []
  let end = 0
  for (const { at, remove, insert } of splices.toSorted((left, right) => left.at - right.at)) {
    parts.push(text.slice(end, at), insert)
    end = at + remove
  }
  return parts.join("") + text.slice(end)
}

/** The line end that the text uses; a text of one line gets `\n`. */
export function lineEndOf(text: string): "\r\n" | "\n" {
  const first = text.indexOf("\n")
  return first > 0 && text[first - 1] === "\r" ? "\r\n" : "\n"
}

/** The line, counted from 1, in which `offset` lies. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length
}

/** The first place after the line in which `offset` lies, and whether a line end stands before it. */
export function afterLine(text: string, offset: number): { readonly at: number; readonly ended: boolean } {
  const end = text.indexOf("\n", offset)
  return end < 0 ? { at: text.length, ended: false } : { at: end + 1, ended: true }
}
