/** Shows what changes in a text, line by line, without showing the secrets in it. */

/** One line of a comparison. */
type DiffLine = { readonly sign: " " | "-" | "+"; readonly text: string }

const CONTEXT_LINES = 2

/** 16 MiB of counts. */
const MAX_CELLS = 4_194_304

/** Names whose values nobody should see. */
const SECRET_NAME = /(key|token|secret|password|passwd|authorization|credential)/i

/** Values that look like a key wherever they stand. */
const SECRET_TEXT = /\b(sk|pk|rk|gh[pousr]|github_pat|xox[abprs]|AIza|eyJ)[-_A-Za-z0-9.]{8,}/g

/** Returns the changed lines with two lines around them, secrets masked; empty when nothing changes. */
export function lineDiff(before: string, after: string, secrets: readonly string[] = []): readonly string[] {
  const lines = compare(splitLines(before), splitLines(after))
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some(line => line.sign !== " ")
  const shown: string[] = []
  let isGap = false
  for (const [index, { sign, text }] of lines.entries()) {
    if (!isNear(index)) {
      isGap = true
      continue
    }
    if (isGap) shown.push("  …")
    isGap = false
    shown.push(`${sign} ${maskLine(sign === " " ? maskTexts(text) : text, secrets)}`.trimEnd())
  }
  return shown
}

/** A name with its sign, the name alone, and the value, in all the formats. */
const NAMED_VALUE = /(["']?([\w.-]+)["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,}"'[\]{][^,}]*)/g

/** Hides known secrets, values of names that sound like one, and texts that look like one. */
function maskLine(line: string, secrets: readonly string[] = []): string {
  const known = secrets.reduce((text, secret) => (secret === "" ? text : text.replaceAll(secret, "***")), line)
  const named = known.replace(NAMED_VALUE, (whole, start: string, name: string, value: string) => {
    // The name of a variable that holds the key is no secret.
    if (!SECRET_NAME.test(name) || /env_?key/i.test(name) || value.length < 4) return whole
    const mark = /^["']/.test(value) ? value[0] : ""
    return `${start}${mark}***${mark}`
  })
  return named.replaceAll(SECRET_TEXT, "***")
}

/** Lines that stay are there to show the place: their names are enough. */
function maskTexts(line: string): string {
  return line.replace(/("[^"]*"|'[^']*')(?!\s*[:=])/g, '"…"').replace(/([:=]\s*)[^\s"'[\]{},][^,]*$/, "$1…")
}

function splitLines(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/)
}

/** Lines in common, as many as possible, stay; texts too long for the table of that are shown as one block. */
function compare(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const kept = (text: string): DiffLine => ({ sign: " ", text })
  const least = Math.min(before.length, after.length)
  let head = 0
  while (head < least && before[head] === after[head]) head++
  let tail = 0
  while (tail < least - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  const left = before.slice(head, before.length - tail)
  const right = after.slice(head, after.length - tail)
  return [
    ...before.slice(0, head).map(kept),
    ...compareMiddle(left, right),
    ...before.slice(before.length - tail).map(kept),
  ]
}

function compareMiddle(left: readonly string[], right: readonly string[]): readonly DiffLine[] {
  const width = right.length + 1
  if ((left.length + 1) * width > MAX_CELLS) {
    return [...left.map(text => ({ sign: "-" as const, text })), ...right.map(text => ({ sign: "+" as const, text }))]
  }
  const common = commonLengths(left, right)
  const lines: DiffLine[] = []
  let [x, y] = [0, 0]
  while (x < left.length || y < right.length) {
    const [old, fresh] = [left[x], right[y]]
    // What has gone comes before what is new.
    const goesLeft = (common[(x + 1) * width + y] ?? 0) >= (common[x * width + y + 1] ?? 0)
    if (old !== undefined && old === fresh) {
      lines.push({ sign: " ", text: old })
      x++
      y++
    } else if (old !== undefined && (fresh === undefined || goesLeft)) {
      lines.push({ sign: "-", text: old })
      x++
    } else {
      lines.push({ sign: "+", text: fresh ?? "" })
      y++
    }
  }
  return lines
}

/** At `x * (right.length + 1) + y`: how many lines the rests from `x` and `y` on have in common. */
function commonLengths(left: readonly string[], right: readonly string[]): Uint32Array {
  const width = right.length + 1
  const lengths = new Uint32Array((left.length + 1) * width)
  for (let x = left.length - 1; x >= 0; x--) {
    for (let y = right.length - 1; y >= 0; y--) {
      const skipped = Math.max(lengths[(x + 1) * width + y] ?? 0, lengths[x * width + y + 1] ?? 0)
      lengths[x * width + y] = left[x] === right[y] ? (lengths[(x + 1) * width + y + 1] ?? 0) + 1 : skipped
    }
  }
  return lengths
}
