/** Where a setting came from and what is wrong with it, in words. */

/** The place a value was given at. */
export type ConfigSource =
  | { readonly type: "default" }
  | { readonly type: "file"; readonly file: string; readonly line: number }
  | { readonly type: "env"; readonly name: string }
  | { readonly type: "flag"; readonly name: string }

/** One reason not to start. */
export type ConfigProblem = {
  readonly source: ConfigSource
  /** The key as written; absent when the whole file or command line is at fault. */
  readonly key?: string
  /** What was expected and what was found, without secrets. */
  readonly message: string
  /** The known key that was probably meant. */
  readonly nearest?: string
}

/** A value and where it was given; one layer is a list of these. */
export type Setting = { readonly path: string; readonly value: unknown; readonly source: ConfigSource }

/** What one layer holds: good settings, reasons to refuse, and remarks. */
export type ConfigLayer = {
  readonly settings: readonly Setting[]
  readonly problems: readonly ConfigProblem[]
  readonly warnings: readonly string[]
}

/** Returns `sluice.yaml:4`, `environment PORT`, `flag --listen` or `default`. */
export function formatSource(source: ConfigSource): string {
  switch (source.type) {
    case "default":
      return "default"
    case "file":
      return source.line > 0 ? `${source.file}:${source.line}` : source.file
    case "env":
      return `environment ${source.name}`
    case "flag":
      return `flag ${source.name}`
  }
}

/** Returns the problem as one line: place, key, message, nearest known key. */
export function formatProblem(problem: ConfigProblem): string {
  const key = problem.key === undefined ? "" : `${problem.key}: `
  const hint = problem.nearest === undefined ? "" : `; did you mean "${problem.nearest}"?`
  return `${formatSource(problem.source)}: ${key}${problem.message}${hint}`
}
