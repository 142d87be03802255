/** Raises the number of simultaneous upstream requests by starting the process over once with the right variable. */

/** Read by Bun at process start only: https://bun.com/docs/runtime/networking/fetch#simultaneous-connection-limit */
const CEILING_VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS"

/** Set for the second start, so that there is no third. */
const GUARD_VARIABLE = "SLUICE_INTERNAL_RESTARTED"

/** Simultaneous requests asked for. */
const WANTED_REQUESTS = 16_384

/** What Bun allows without the variable; further requests wait without a word. */
const DEFAULT_REQUESTS = 256

/** Open files left for the database, logs and idle connections. */
const RESERVED_FILES = 256

/** The process as this file sees it. */
export type CeilingParts = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly execPath: string
  readonly execArgv: readonly string[]
  readonly argv: readonly string[]
  /** `Bun.main`: where the program's first module lies. */
  readonly main: string
  /** Replaces the process and does not return; absent on Windows. */
  readonly execve: ((file: string, args: readonly string[], env: Record<string, string>) => void) | undefined
  /** Soft limit of open files; undefined = unknown or unlimited. */
  readonly openFileLimit: number | undefined
}

/** How many upstream requests can run at a time, and why not more. */
export type RequestCeiling = { readonly requests: number; readonly warning?: string }

/**
 * Call before anything is opened. Either replaces the process and does not return, or tells the ceiling in force: in the
 * replaced process, where an operator set the variable, or with a warning where it cannot be raised.
 */
export function raiseRequestCeiling(parts: CeilingParts): RequestCeiling {
  const stated = Number(parts.env[CEILING_VARIABLE])
  if (Number.isInteger(stated) && stated > 0) return { requests: stated }
  if (parts.env[GUARD_VARIABLE] !== undefined) return unraised("the variable did not survive the restart")
  const wanted = ceilingWithin(parts.openFileLimit)
  if (wanted <= DEFAULT_REQUESTS) return unraised("the limit of open files is too low; raise it with `ulimit -n`")
  if (parts.execve === undefined) return unraised("this system cannot replace a process")
  try {
    parts.execve(parts.execPath, restartArgs(parts), { ...definedOf(parts.env), ...variablesFor(wanted) })
  } catch (error) {
    // The process goes on as it was; the operator is told why it serves fewer requests at a time.
    return unraised(error instanceof Error ? error.message : "the restart failed")
  }
  return unraised("the restart had no effect")
}

/**
 * Arguments of the second start. A compiled binary has `["bun", "/$bunfs/root/<name>", …]` as its `argv` and needs neither;
 * under `bun src/main.ts` the script is `argv[1]` and the runtime's own flags stand in `execArgv`.
 */
export function restartArgs(parts: Pick<CeilingParts, "execPath" | "execArgv" | "argv" | "main">): readonly string[] {
  const compiled = parts.main.startsWith("/$bunfs/") || parts.main.includes("~BUN")
  if (compiled) return [parts.execPath, ...parts.argv.slice(2)]
  return [parts.execPath, ...parts.execArgv, ...parts.argv.slice(1)]
}

/** A relayed request holds two sockets: the client's and the upstream's. */
function ceilingWithin(openFileLimit: number | undefined): number {
  if (openFileLimit === undefined) return WANTED_REQUESTS
  return Math.min(WANTED_REQUESTS, Math.floor((openFileLimit - RESERVED_FILES) / 2))
}

function variablesFor(requests: number): Record<string, string> {
  return { [CEILING_VARIABLE]: String(requests), [GUARD_VARIABLE]: "1" }
}

function definedOf(env: CeilingParts["env"]): Record<string, string> {
  const defined: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) if (value !== undefined) defined[name] = value
  return defined
}

function unraised(reason: string): RequestCeiling {
  return {
    requests: DEFAULT_REQUESTS,
    warning: `At most ${DEFAULT_REQUESTS} upstream requests run at a time: ${reason}.`,
  }
}
