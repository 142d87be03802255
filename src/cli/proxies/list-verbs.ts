/** `sluice proxies import` and `export`: lists of proxies in and out. */

import { readFile, writeFile } from "node:fs/promises"
import { resolve } from "node:path"

import { orCancelled } from "#cli/accounts/or-cancelled.ts"
import { flagValue, hasFlag, SHARED_HELP, sayJson, type Verb, type VerbCall, wrongUsage } from "#cli/accounts/verb.ts"
import { GatewayError } from "#core/errors.ts"
import { PROXY_FORMATS } from "#gateway/egress/proxy-text.ts"

import { makeProxyClient } from "./proxy-client.ts"

function fileFault(path: string, what: string, cause: unknown): GatewayError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason"
  return new GatewayError("invalid-request", `${path} cannot be ${what} (${code}).`, { cause })
}

async function readList(name: string, { io }: VerbCall): Promise<string> {
  if (name === "-") return orCancelled(io.stdin.text(), io.signal)
  const path = resolve(io.cwd, name)
  try {
    return await readFile(path, "utf8")
  } catch (cause) {
    throw fileFault(path, "read", cause)
  }
}

/** `import`. */
export const importVerb: Verb = {
  help: `sluice proxies import FILE|- [--dry-run] [--json]

Takes a list of proxies in: YAML or JSON (entries with \`url\`, or \`host\`, \`port\`, \`username\`, \`password\`, \`protocol\`; \`name\`,
\`region\`, \`enabled\`), or a proxy a line: host:port, host:port:user:password, or a URL. In lines a password stands as it is,
whatever characters it has. Known proxies are brought up to date; a faulty entry stops none of the others.

  --dry-run         only says what would happen
${SHARED_HELP}`,
  flags: { "--dry-run": "switch" },
  run: async call => {
    const { line, io } = call
    const [name, extra] = line.positionals
    if (name === undefined || extra !== undefined) return wrongUsage(io, "import takes one file, or -", "proxies")
    const text = await readList(name, call)
    const imported = await makeProxyClient(await call.open()).import(text, hasFlag(line, "--dry-run"))
    const { counts, results, dry_run } = imported
    if (hasFlag(line, "--json")) sayJson(io, imported)
    else {
      for (const { where, outcome, name: of, reason } of results) {
        if (outcome === "refused") io.stderr(`${where}: refused: ${reason}\n`)
        else io.stdout(`${where}: ${outcome}: ${of}\n`)
      }
      const { added, updated, unchanged, refused } = counts
      const would = dry_run ? "would be " : ""
      io.stdout(`${would}${added} added, ${updated} updated, ${unchanged} as before, ${refused} refused\n`)
    }
    return counts.refused > 0 || results.length === 0 ? 1 : 0
  },
}

/** `export`. */
export const exportVerb: Verb = {
  help: `sluice proxies export [--format ${PROXY_FORMATS.join("|")}] [--out FILE] [--passwords] [--json]

Writes the proxies as YAML, or one a line as host:port:user:password. Passwords are masked unless --passwords is given, which the
gateway writes into its log; a masked list cannot be imported again.

  --format FORMAT   ${PROXY_FORMATS.join(" or ")} (default ${PROXY_FORMATS[0]})
  --out FILE        a new file, mode 0600
  --passwords       with the passwords
${SHARED_HELP}`,
  flags: { "--format": "value", "--out": "value", "--passwords": "switch" },
  run: async call => {
    const { line, io } = call
    const format = flagValue(line, "--format") ?? PROXY_FORMATS[0]
    const out = flagValue(line, "--out")
    if (!PROXY_FORMATS.some(known => known === format)) {
      return wrongUsage(io, `--format: expected ${PROXY_FORMATS.join(" or ")}`, "proxies")
    }
    const passwords = hasFlag(line, "--passwords") ? "shown" : "masked"
    const written = await makeProxyClient(await call.open()).export(format, passwords)
    if (out !== undefined) await writeNew(resolve(io.cwd, out), written.text)
    if (hasFlag(line, "--json")) sayJson(io, out === undefined ? written : { ...written, text: undefined, file: out })
    else if (out === undefined) io.stdout(written.text)
    for (const name of written.skipped) io.stderr(`left out: ${name}\n`)
    if (out !== undefined) io.stderr(`${written.count} proxies written to ${out}\n`)
    return 0
  },
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 })
  } catch (cause) {
    throw fileFault(path, "written", cause)
  }
}
