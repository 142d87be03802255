/** Reads the project's Markdown pages: code spans, fenced blocks, links and headings. */

import { readFileSync } from "node:fs"
import { join } from "node:path"

import { ROOT } from "./source-tree.ts"

/** One fenced block; `language` is "" when none is named. */
export type CodeBlock = { readonly language: string; readonly text: string }

/** One page, taken apart. */
export type DocumentPage = {
  /** From the root of the checkout, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly CodeBlock[]
  /** Inline code outside of fenced blocks. */
  readonly spans: readonly string[]
  /** Link targets as written, images included. */
  readonly links: readonly string[]
  readonly headings: readonly { readonly level: number; readonly title: string }[]
}

const FENCE = /^[ >]*```(\w*)\n([\s\S]*?)^[ >]*```$/gm

/** Returns every page that is written by hand or generated, in a fixed order. */
export function readDocuments(): readonly DocumentPage[] {
  const inDocs = [...new Bun.Glob("docs/**/*.md").scanSync({ cwd: ROOT })].sort()
  return ["README.md", "README.zh-CN.md", "AGENTS.md", "CHANGELOG.md", ...inDocs].map(readPage)
}

/** Returns the anchors a page's headings get on the usual forges: lower case, blanks as dashes, most signs left out. */
export function anchorsOf(page: DocumentPage): ReadonlySet<string> {
  return new Set(
    page.headings.map(({ title }) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  )
}

/** Lines of shell in fenced blocks and inline code that call `program`, without `sudo` and variables in front. */
export function callsOf(program: string, page: DocumentPage): readonly string[] {
  const lines = page.blocks.flatMap(block => block.text.replaceAll("\\\n", " ").split("\n"))
  return [...lines, ...page.spans]
    .map(line => line.replace(/^[\s>]+/, "").replace(/^(sudo |[A-Z_]+=\S+ )+/, ""))
    .filter(line => line === program || line.startsWith(`${program} `))
    .map(line =>
      line
        .slice(program.length)
        .replace(/\s#.*$/, "")
        .trim(),
    )
}

function readPage(path: string): DocumentPage {
  const text = readFileSync(join(ROOT, path), "utf8")
  const prose = text.replace(FENCE, "")
  return {
    path: path.replaceAll("\\", "/"),
    text,
    blocks: [...text.matchAll(FENCE)].map(([, language = "", body = ""]) => ({ language, text: body })),
    spans: [...prose.matchAll(/`([^`\n]+)`/g)].map(match => match[1] ?? ""),
    links: [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1] ?? ""),
    headings: [...prose.matchAll(/^(#{1,6}) (.+)$/gm)].map(([, signs = "", title = ""]) => ({
      level: signs.length,
      title: title.trim(),
    })),
  }
}
