/** What the documents say exists: commands, flags, settings, scenarios, links. */

import { describe, expect, test } from "bun:test"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"

import { loadCommands } from "#cli/commands.ts"
import { CONFIG_KEYS, CONFIG_SECTIONS, keyAt, keyOfEnv, keyOfFlag } from "#config/keys.ts"
import { isJsonObject } from "#core/json.ts"
import { SCENARIOS } from "#simulator/scripts/scenarios.ts"

import { anchorsOf, callsOf, type DocumentPage, readDocuments } from "./support/documents.ts"
import { ROOT } from "./support/source-tree.ts"

const pages = readDocuments()
const commands = await loadCommands()

/** Names with our prefix that are no settings: the clients' example key, and what the build is told. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(["SLUICE_KEY", "SLUICE_COMMIT", "SLUICE_MASTER_KEY"])

/** Returns `path: complaint` for everything `find` returns for a page. */
function complaints(find: (page: DocumentPage) => readonly string[], among = pages): readonly string[] {
  return among.flatMap(page => find(page).map(complaint => `${page.path}: ${complaint}`))
}

describe("commands", () => {
  test("every `sluice <verb>` is a command", () => {
    const isKnown = (verb: string) => verb === "" || verb.startsWith("-") || commands.some(one => one.name === verb)
    const verbs = (page: DocumentPage) => callsOf("sluice", page).map(call => call.split(" ")[0] ?? "")
    expect(complaints(page => verbs(page).filter(verb => verb !== "<command>" && !isKnown(verb)))).toEqual([])
  })

  test("every flag of a call is a setting or stands in the command's help", () => {
    const found = complaints(page =>
      callsOf("sluice", page).filter(call => {
        const help = commands.find(one => one.name === call.split(" ")[0])?.help ?? "--version --help"
        return flagsIn(call).some(flag => keyOfFlag(flag) === undefined && !flagsIn(help).includes(flag))
      }),
    )
    expect(found).toEqual([])
  })

  test("every flag that is named alone belongs to some command", () => {
    const known = new Set([...commands.flatMap(one => flagsIn(one.help)), "--version", "--help", "--all"])
    const ours = pages.filter(page => !page.path.startsWith("docs/clients/"))
    const alone = (page: DocumentPage) => page.spans.filter(span => /^--[a-z][a-z-]*( [A-Z]+)?$/.test(span))
    const isUnknown = (flag: string) => !known.has(flag) && keyOfFlag(flag) === undefined
    expect(complaints(page => alone(page).filter(span => isUnknown(span.split(" ")[0] ?? "")), ours)).toEqual([])
  })

  test("every `./dev <task>` is one of its tasks or a command", () => {
    const usage = readFileSync(join(ROOT, "dev"), "utf8")
    const tasks = [...usage.matchAll(/^ {2}([a-z]+) (?:\[[^\]]+\])? +\S/gm)].map(match => match[1])
    const known = new Set([...tasks, ...commands.map(one => one.name)])
    const unknown = (page: DocumentPage) =>
      callsOf("./dev", page).filter(call => call !== "" && !known.has(call.split(" ")[0]))
    expect(complaints(unknown)).toEqual([])
  })

  test("every scenario that a prompt names exists", () => {
    const names = new Set(SCENARIOS.map(one => one.name))
    const named = (page: DocumentPage) =>
      [...page.text.matchAll(/\[\[simulate: ([a-z-]+)[ \]]/g)].map(match => match[1])
    expect(complaints(page => named(page).flatMap(name => (name && !names.has(name) ? [name] : [])))).toEqual([])
  })
})

describe("settings", () => {
  test("every block of YAML is a configuration with known keys", () => {
    const found = complaints(page =>
      page.blocks.filter(block => block.language === "yaml").flatMap(block => unknownKeys(Bun.YAML.parse(block.text))),
    )
    expect(found).toEqual([])
  })

  test("every variable with our prefix is a setting", () => {
    const variables = (page: DocumentPage) => page.text.match(/\bSLUICE_[A-Z_]+\b/g) ?? []
    const isUnknown = (name: string) => keyOfEnv(name) === undefined && !OTHER_VARIABLES.has(name)
    expect(complaints(page => variables(page).filter(isUnknown))).toEqual([])
  })

  test("a code span that begins like a section names a setting of it", () => {
    const sections = [...CONFIG_SECTIONS.keys()].map(section => `${section}.`)
    // `log.db` is a file.
    const dotted = (page: DocumentPage) =>
      page.spans.filter(
        span => /^[a-z-]+\.(?!db$)[a-z-]+$/.test(span) && sections.some(section => span.startsWith(section)),
      )
    expect(complaints(page => dotted(page).filter(span => keyAt(span) === undefined))).toEqual([])
  })

  test("the generated page explains every setting", () => {
    const page = pages.find(one => one.path === "docs/config.md")
    const titles = new Set(page?.headings.map(heading => heading.title.replaceAll("`", "")))
    expect(CONFIG_KEYS.filter(key => !titles.has(key.path)).map(key => key.path)).toEqual([])
  })
})

describe("pages", () => {
  test("every link inside the project leads to a file, and to a heading when it names one", () => {
    expect(complaints(page => page.links.filter(link => !/^[a-z]+:/.test(link) && !resolves(page, link)))).toEqual([])
  })

  test("the index links every page of docs", () => {
    const index = pages.find(one => one.path === "docs/README.md")
    const linked = new Set(index?.links.map(link => normalize(join("docs", link))))
    const missing = pages
      .map(page => page.path)
      .filter(path => path.startsWith("docs/") && path !== "docs/README.md" && !path.startsWith("docs/decisions/"))
      .filter(path => !linked.has(normalize(path)))
    expect(missing).toEqual([])
  })

  test("both READMEs have the same sections and the same blocks of code", () => {
    const shapeOf = (path: string) => {
      const page = pages.find(one => one.path === path)
      return {
        levels: page?.headings.map(heading => heading.level),
        blocks: page?.blocks.map(block => block.language),
        calls: page === undefined ? [] : [...callsOf("sluice", page)].sort(),
      }
    }
    expect(shapeOf("README.zh-CN.md")).toEqual(shapeOf("README.md"))
  })

  test("AGENTS.md has at most 80 lines", () => {
    const page = pages.find(one => one.path === "AGENTS.md")
    expect(page?.text.trimEnd().split("\n").length).toBeLessThanOrEqual(80)
  })
})

function flagsIn(text: string): readonly string[] {
  return text.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? []
}

function unknownKeys(value: unknown, prefix = ""): readonly string[] {
  if (!isJsonObject(value)) return [`${prefix || "the block"} is no mapping`]
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`
    if (keyAt(path) !== undefined) return []
    return CONFIG_SECTIONS.has(path) ? unknownKeys(inner, path) : [path]
  })
}

function resolves(page: DocumentPage, link: string): boolean {
  const [file = "", anchor] = link.split("#")
  const target = file === "" ? page.path : normalize(join(dirname(page.path), file))
  if (!existsSync(join(ROOT, target))) return false
  if (anchor === undefined) return true
  const other = pages.find(one => one.path === target.replaceAll("\\", "/"))
  return other !== undefined && anchorsOf(other).has(decodeURIComponent(anchor))
}
