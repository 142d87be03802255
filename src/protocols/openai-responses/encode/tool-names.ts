/** Tool names the upstream takes, and the way back to the client's own. */

/** Longest tool name upstream; letters, digits, `_` and `-` only. */
const MAX_NAME_CHARS = 64

const ACCEPTABLE_NAME = /^[A-Za-z0-9_-]{1,64}$/

const MCP_PREFIX = "mcp__"

/** The names of one request. */
export type ToolNames = {
  /** Returns the upstream name; names that were never declared follow the same shortening rule. */
  readonly toUpstream: (name: string) => string
  /** Upstream name → client name, for renamed tools only. */
  readonly toClient: ReadonlyMap<string, string>
}

/**
 * Maps the declared names, in their order. Names that need no change keep themselves before any other may take them.
 * Depends on the declared names only, so that the same request always gets the same names.
 */
export function mapToolNames(declared: readonly string[]): ToolNames {
  const toClient = new Map<string, string>()
  const renamed = new Map<string, string>()
  const taken = new Set(declared.filter(name => ACCEPTABLE_NAME.test(name)))
  for (const name of declared) {
    if (ACCEPTABLE_NAME.test(name) || renamed.has(name)) continue
    const upstream = firstFree(shortenName(name), taken)
    taken.add(upstream)
    renamed.set(name, upstream)
    toClient.set(upstream, name)
  }
  const toUpstream = (name: string): string => {
    if (ACCEPTABLE_NAME.test(name)) return name
    return renamed.get(name) ?? shortenName(name)
  }
  return { toUpstream, toClient }
}

/** Long MCP names keep their prefix and their last segment, which says what the tool does. */
function shortenName(name: string): string {
  const isLongMcp = name.length > MAX_NAME_CHARS && name.startsWith(MCP_PREFIX)
  const telling = isLongMcp ? MCP_PREFIX + name.slice(name.lastIndexOf("__") + 2) : name
  const clean = telling.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, MAX_NAME_CHARS)
  return clean === "" ? "_" : clean
}

function firstFree(candidate: string, taken: ReadonlySet<string>): string {
  if (!taken.has(candidate)) return candidate
  for (let count = 1; ; count++) {
    const suffix = `_${count}`
    const name = candidate.slice(0, MAX_NAME_CHARS - suffix.length) + suffix
    if (!taken.has(name)) return name
  }
}
