/** The rules of docs/architecture.md that a program can check, over every file of `src`. */

import { describe, expect, test } from "bun:test"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

import { ERROR_KINDS } from "#core/errors.ts"

import {
  FOLDER_RULES,
  type FolderRule,
  LONG_IMPORT_LISTS,
  MAX_FILE_LINES,
  MAX_IMPORTS,
  OWNED_MODULES,
  PURE_FOLDERS,
} from "./support/architecture-table.ts"
import { findCycle, ROOT, readSourceFiles, resolveImport, type SourceFile } from "./support/source-tree.ts"

const files = readSourceFiles()
const modules = files.filter(file => !file.path.endsWith(".d.ts"))

/** The built-in defaults and the service template lie outside `src` because operators read them. */
const OUTSIDE_TEXTS = /^\.\.\/\.\.\/config\/[a-z-]+\.(yaml|service)$/

/** Returns `path:line` for every match of `pattern` in the code of `among`, comments left out. */
function findAll(pattern: RegExp, among: readonly SourceFile[]): readonly string[] {
  return among.flatMap(file =>
    [...file.code.matchAll(pattern)].map(match => {
      const line = file.code.slice(0, match.index).split("\n").length
      return `${file.path}:${line} ${match[0].trim().split("\n")[0]}`
    }),
  )
}

/** Returns a complaint for every import that `isBad` names one for. */
function complaints(isBad: (file: SourceFile, one: SourceFile["imports"][number]) => string | undefined) {
  return files.flatMap(file =>
    file.imports.flatMap(one => {
      const reason = isBad(file, one)
      return reason === undefined ? [] : [`${file.path}:${one.line} imports ${one.specifier}: ${reason}`]
    }),
  )
}

function ruleOf(folder: string): FolderRule | undefined {
  return Object.hasOwn(FOLDER_RULES, folder) ? FOLDER_RULES[folder as keyof typeof FOLDER_RULES] : undefined
}

describe("imports", () => {
  test("every folder of src stands in the table", () => {
    const folders = new Set(files.map(file => file.folder).filter(folder => folder !== ""))
    expect([...folders].filter(folder => ruleOf(folder) === undefined)).toEqual([])
  })

  test("only main.ts lies in src itself", () => {
    expect(files.filter(file => file.folder === "").map(file => file.path)).toEqual(["src/main.ts"])
  })

  test("a folder imports only the folders its row allows", () => {
    expect(complaints(badArrow)).toEqual([])
  })

  test("packages stay in the folder that owns them", () => {
    const found = complaints((file, one) => {
      const owners = Object.entries(OWNED_MODULES).find(([name]) =>
        name.endsWith("/")
          ? one.specifier.startsWith(name)
          : one.specifier === name || one.specifier.startsWith(`${name}/`),
      )?.[1]
      if (owners === undefined || owners.some(owner => owner === file.folder)) return undefined
      return `belongs to ${owners.join(", ")}`
    })
    expect(found).toEqual([])
  })

  test("folders that only compute import no runtime modules", () => {
    const found = complaints((file, one) => {
      if (!Object.hasOwn(PURE_FOLDERS, file.folder)) return undefined
      if (resolveImport(file, one.specifier) !== undefined) return undefined
      const allowed: readonly string[] = PURE_FOLDERS[file.folder as keyof typeof PURE_FOLDERS]
      return allowed.includes(one.specifier) ? undefined : `${file.folder} touches nothing outside`
    })
    expect(found).toEqual([])
  })

  test("files are named by ./ inside a folder and by # across, with their ending", () => {
    const found = complaints((_, one) => {
      if (OUTSIDE_TEXTS.test(one.specifier)) return undefined
      if (one.specifier.includes("../")) return "write #folder/file.ts"
      const isFile = one.specifier.startsWith(".") || one.specifier.startsWith("#")
      return isFile && !/\.(ts|tsx|sql|html|css|json|yaml|md)$/.test(one.specifier)
        ? "the ending is missing"
        : undefined
    })
    expect(found).toEqual([])
  })

  test("nothing is exported twice", () => {
    expect(complaints((_, one) => (one.reExport ? "a re-export" : undefined))).toEqual([])
  })

  test("there is no ring of imports", () => {
    expect(findCycle(files)).toBeUndefined()
  })

  test(`a file imports at most ${MAX_IMPORTS} modules`, () => {
    const long = files.filter(file => !LONG_IMPORT_LISTS.some(name => file.path.endsWith(`/${name}`)))
    const found = long.map(file => [file.path, new Set(file.imports.map(one => one.specifier)).size] as const)
    expect(found.filter(([, count]) => count > MAX_IMPORTS)).toEqual([])
  })
})

describe("files", () => {
  test(`a file has at most ${MAX_FILE_LINES} lines`, () => {
    const found = files.map(file => [file.path, file.text.trimEnd().split("\n").length] as const)
    expect(found.filter(([, lines]) => lines > MAX_FILE_LINES)).toEqual([])
  })

  test("the first line is a sentence on what the file is for", () => {
    const found = files.filter(file => !/^(\/\*\*(\s*\n \*)? [^\n]*|\/\/ [^\n]*)\n/.test(file.text))
    expect(found.map(file => file.path)).toEqual([])
  })

  test("every export carries a docstring", () => {
    const declaration =
      /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|class|type|interface) [\w$]+/gm
    const found = modules.flatMap(file =>
      [...file.code.matchAll(declaration)]
        .filter(match => !file.text.slice(0, match.index).endsWith("*/\n"))
        .map(match => `${file.path} ${match[0]}`),
    )
    expect(found).toEqual([])
  })

  test("there are no default exports", () => {
    expect(findAll(/^export default\b|\bas default\b/gm, files)).toEqual([])
  })

  test("no module keeps state", () => {
    const state =
      /^(?:export )?(?:let|var)\s.*|^(?:export )?const \w+(?:: (?!Readonly)[^=]+)? = new (?:Map|Set|WeakMap|WeakSet)(?:<.*>)?\(\)/gm
    expect(findAll(state, files)).toEqual([])
  })
})

describe("what only one place may do", () => {
  const outside = (...folders: readonly string[]) => files.filter(file => !folders.includes(file.folder))

  test("SQL stands in store", () => {
    const sql =
      /["'`]\s*(?:select\s[^"'`]*\sfrom\s|insert\s+(?:or\s+\w+\s+)?into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+(?:unique\s+)?(?:table|index)\s|pragma\s+\w+|begin\s+immediate)/gi
    expect(findAll(sql, outside("store"))).toEqual([])
    const sqlFiles = [...new Bun.Glob("src/**/*.sql").scanSync({ cwd: ROOT })]
    expect(sqlFiles.filter(path => !path.startsWith("src/store/"))).toEqual([])
  })

  test("the machine's clock is read in core/clock.ts", () => {
    const clockReads = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/g
    expect(
      findAll(
        clockReads,
        files.filter(file => file.path !== "src/core/clock.ts"),
      ),
    ).toEqual([])
  })

  test("nobody rolls dice on the side", () => {
    // Commands hand it in as a part.
    expect(findAll(/\bMath\.random\b/g, outside("cli"))).toEqual([])
  })

  test("the environment is read in main.ts, by commands, and by the part that restarts the process", () => {
    const readers = outside("cli").filter(file => !["src/main.ts", "src/transport/this-process.ts"].includes(file.path))
    expect(findAll(/\b(?:process|Bun|import\.meta)\.env\b/g, readers)).toEqual([])
  })
})

describe("documents", () => {
  test("docs/errors.md lists the catalogue of core/errors.ts and nothing else", () => {
    const page = readFileSync(join(ROOT, "docs/errors.md"), "utf8")
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\d+) \| ([a-z -]+) \|/gm)].map(match => match.slice(1, 4))
    const catalogue = Object.entries(ERROR_KINDS).map(([kind, facts]) => [kind, String(facts.status), facts.scope])
    expect(rows.map(String).sort()).toEqual(catalogue.map(String).sort())
  })

  test("docs/architecture.md shows the import table that is enforced", () => {
    const page = readFileSync(join(ROOT, "docs/architecture.md"), "utf8")
    const rows = [...page.matchAll(/^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$/gm)].map(match => [match[1], match[2]?.trim()])
    const wanted = Object.entries(FOLDER_RULES).map(([folder, rule]) => [folder, describeRule(rule)])
    expect(rows).toEqual(wanted)
  })

  test("Biome refuses the same imports in the editor", () => {
    const biome: unknown = Bun.JSONC.parse(readFileSync(join(ROOT, "biome.json"), "utf8"))
    const overrides = (biome as { overrides: readonly { includes: readonly string[]; linter: unknown }[] }).overrides
    for (const [folder, rule] of Object.entries(FOLDER_RULES) as [string, FolderRule][]) {
      if (rule.folders === "all") continue
      const allowed = [folder, ...rule.folders, ...(rule.typesOnly ?? [])]
      const group = ["#*/**", ...allowed.map(other => `!#${other}/**`)]
      const override = overrides.find(one => one.includes.includes(`src/${folder}/**`))
      expect(JSON.stringify(override?.linter ?? {}), folder).toContain(JSON.stringify(group))
    }
  })

  test("one version of Bun is named everywhere", async () => {
    const manifest = await Bun.file(join(ROOT, "package.json")).json()
    const version = manifest.engines.bun
    expect(manifest.packageManager).toBe(`bun@${version}`)
    expect(manifest.devDependencies["bun-types"]).toBe(version)
    expect(readFileSync(join(ROOT, "Dockerfile"), "utf8")).toContain(`FROM oven/bun:${version}-`)
    expect(Bun.version).toBe(version)
  })

  test("no file of the project names places or papers of whoever wrote it", () => {
    // Put together here, so that this file does not find itself.
    const words = [["", "work", "main"].join("/"), ["", "work", "shared"].join("/"), ["", "tmp", "brief"].join("/")]
    const glob = new Bun.Glob("{src,docs,test,scripts,config}/**/*.{ts,tsx,md,yaml,sql,json,txt,service}")
    const texts = [
      ...glob.scanSync({ cwd: ROOT }),
      ...readdirSync(ROOT).filter(name => /\.(md|json|toml)$|^dev$/.test(name)),
    ]
    const found = texts
      .filter(path => !path.includes("node_modules"))
      .filter(path => words.some(word => readFileSync(join(ROOT, path), "utf8").includes(word)))
    expect(found).toEqual([])
  })
})

test("every module of src can be imported without doing anything", () => {
  // Browser code needs a document, and main.ts is the one file that acts.
  const importable = modules.filter(file => file.path !== "src/main.ts" && file.folder !== "dashboard")
  const script = `
    const before = Object.keys(globalThis).length
    for (const path of ${JSON.stringify(importable.map(file => join(ROOT, file.path)))}) await import(path)
    if (process.listenerCount("SIGINT") + process.listenerCount("SIGTERM") > 0) console.log("listens for signals")
    if (Object.keys(globalThis).length !== before) console.log("adds globals")
    console.error("imported")`
  const folder = mkdtempSync(join(tmpdir(), "sluice-import-"))
  try {
    const child = Bun.spawnSync([process.execPath, "-e", script], { cwd: folder, timeout: 20_000 })
    // A timer or a socket would keep the child alive, and the time-out would end it without a code.
    expect({ code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() }).toEqual({
      code: 0,
      out: "",
      err: "imported\n",
    })
    expect(readdirSync(folder)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 30_000)

function badArrow(file: SourceFile, one: SourceFile["imports"][number]): string | undefined {
  const target = resolveImport(file, one.specifier)?.split("/")[1]
  const rule = ruleOf(file.folder)
  if (target === undefined || rule === undefined || OUTSIDE_TEXTS.test(one.specifier)) return undefined
  if (target === file.folder || rule.folders === "all" || rule.folders.includes(target)) return undefined
  if (rule.typesOnly?.includes(target)) return one.typeOnly ? undefined : `only types of ${target} are allowed`
  return `${file.folder} may not import ${target}`
}

function describeRule(rule: FolderRule): string {
  if (rule.folders === "all") return "everything"
  const types = (rule.typesOnly ?? []).map(folder => `${folder} (types only)`)
  const names = [...rule.folders, ...types]
  return names.length === 0 ? "–" : names.join(", ")
}
