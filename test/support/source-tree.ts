/** The files of `src` as the architecture test reads them: text, code without comments, imports. */

import { readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"

/** One import or re-export of a file. */
export type SourceImport = {
  readonly specifier: string
  readonly typeOnly: boolean
  /** `export … from`. */
  readonly reExport: boolean
  /** 1-based. */
  readonly line: number
}

/** One source file. */
export type SourceFile = {
  /** From the root of the checkout, with slashes: `src/core/ids.ts`. */
  readonly path: string
  /** First folder below `src`; "" for files that lie in `src` itself. */
  readonly folder: string
  readonly text: string
  /** The text with comments blanked out; line numbers stay as they are. */
  readonly code: string
  readonly imports: readonly SourceImport[]
}

/** The root of the checkout. */
export const ROOT = join(import.meta.dir, "..", "..")

/** Returns every TypeScript file below `src`, sorted by path. */
export function readSourceFiles(): readonly SourceFile[] {
  const paths = [...new Bun.Glob("src/**/*.{ts,tsx}").scanSync({ cwd: ROOT })].sort()
  return paths.map(path => parseSource(path.replaceAll("\\", "/"), readFileSync(join(ROOT, path), "utf8")))
}

/** Takes one file's text apart. */
function parseSource(path: string, text: string): SourceFile {
  const code = blankComments(text)
  const parts = path.split("/")
  return { path, folder: parts.length > 2 ? (parts[1] ?? "") : "", text, code, imports: readImports(code) }
}

/**
 * Returns the path below the root a specifier stands for, undefined for packages and runtime modules.
 * `#core/ids.ts` is `src/core/ids.ts`.
 */
export function resolveImport(file: SourceFile, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return `src/${specifier.slice(1)}`
  if (specifier.startsWith(".")) return normalize(join(dirname(file.path), specifier)).replaceAll("\\", "/")
  return undefined
}

/** Returns one ring of imports as a list of paths that begins and ends with the same file, undefined when there is none. */
export function findCycle(files: readonly SourceFile[]): readonly string[] | undefined {
  const byPath = new Map(files.map(file => [file.path, file]))
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (path: string): readonly string[] | undefined => {
    const file = byPath.get(path)
    if (file === undefined || done.has(path)) return undefined
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    trail.push(path)
    for (const one of file.imports) {
      const target = resolveImport(file, one.specifier)
      const cycle = target === undefined ? undefined : visit(target)
      if (cycle !== undefined) return cycle
    }
    trail.pop()
    done.add(path)
    return undefined
  }
  for (const file of files) {
    const cycle = visit(file.path)
    if (cycle !== undefined) return cycle
  }
  return undefined
}

/** A string, template, regular expression with its flags, or comment; the first alternative that matches wins. */
const TOKENS =
  /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*|(?<=[=(,:?[!&|{};\n]\s*)\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g

function blankComments(text: string): string {
  return text.replaceAll(TOKENS, token => {
    const isComment = token.startsWith("//") || token.startsWith("/*")
    return isComment ? token.replaceAll(/[^\n]/g, " ") : token
  })
}

// Formatted code: statements begin in column 0.
const STATEMENT = /^(import|export)\b(?!\s*\()([^"'`;=(]*?)(?:\bfrom\s*)?["']([^"']+)["']/gm
const DYNAMIC = /\bimport\(\s*["'`]([^"'`]+)["'`]/g

function readImports(code: string): readonly SourceImport[] {
  const lineAt = (index: number) => code.slice(0, index).split("\n").length
  const statements = [...code.matchAll(STATEMENT)].map(match => ({
    specifier: match[3] ?? "",
    typeOnly: /^\s*type\b/.test(match[2] ?? ""),
    reExport: match[1] === "export",
    line: lineAt(match.index),
  }))
  const dynamic = [...code.matchAll(DYNAMIC)].map(match => ({
    specifier: match[1] ?? "",
    typeOnly: false,
    reExport: false,
    line: lineAt(match.index),
  }))
  return [...statements, ...dynamic]
}
