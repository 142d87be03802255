/** Removes the attribution line that Claude Code puts into its prompts: it changes and would spoil prompt caches. */

const PREFIX = "x-anthropic-billing-header:"

/** Returns `text` without the line; the text itself when it does not begin with one. */
export function withoutAttribution(text: string): string {
  const start = text.search(/\S/)
  if (start === -1 || !text.startsWith(PREFIX, start)) return text
  const lineEnd = text.indexOf("\n", start)
  return lineEnd === -1 ? "" : text.slice(lineEnd + 1)
}
