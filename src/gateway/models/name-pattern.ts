/** Patterns for names: `*` stands for any text. */

const STAR = "*"

/** True for a text that holds a star. */
export function isPattern(text: string): boolean {
  return text.includes(STAR)
}

/** True when `name` fits; case does not matter. `claude-opus-*` also fits `claude-opus`. */
export function fitsPattern(pattern: string, name: string): boolean {
  const text = name.toLowerCase()
  const [head = "", ...rest] = pattern.toLowerCase().split(STAR)
  if (`${text}-*` === pattern.toLowerCase()) return true
  if (!text.startsWith(head)) return false
  let at = head.length
  for (const [index, piece] of rest.entries()) {
    const isLast = index === rest.length - 1
    const found = isLast ? text.length - piece.length : text.indexOf(piece, at)
    if (found < at || (isLast && !text.endsWith(piece))) return false
    at = found + piece.length
  }
  return rest.length > 0 || at === text.length
}

/** The name that stands for a pattern in a list: what is left of it without its stars at the end; else undefined. */
export function listedName(pattern: string): string | undefined {
  const name = pattern.replace(/-?\*+$/, "")
  return name === "" || isPattern(name) ? undefined : name
}
