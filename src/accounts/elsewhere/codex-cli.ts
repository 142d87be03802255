/** The login of the Codex CLI on this machine, used beside the CLI and never instead of it. */

import { readFileSync } from "node:fs"
import { join } from "node:path"

import { parseAccountFile } from "#accounts/formats/parse-account-file.ts"
import type { ProviderId } from "#core/ids.ts"

import { type CodexBaseUrls, type OwnAddress, pickBaseUrls, readCodexConfig } from "./codex-config.ts"
import { fileSource } from "./named-source.ts"
import { borrowedNotice, type OpenedSources, type SourceNotice } from "./opened-sources.ts"

/** What opening it needs. */
export type CodexCliParts = {
  /** The CLI's folder. */
  readonly home: string
  readonly own: OwnAddress
  /** True for a file that serves already. */
  readonly isLoaded: (path: string) => boolean
}

/** The base URLs of the configuration file; why a login of this kind gets none is a notice. */
function readBaseUrls(
  { home, own }: CodexCliParts,
  kind: ProviderId,
): Pick<CodexBaseUrls, "baseUrls"> & Pick<OpenedSources, "notices"> {
  const path = join(home, "config.toml")
  const find = readCodexConfig(home)
  const ignored = (reason: string): SourceNotice => ({
    level: "warn",
    message: `the Codex CLI's configuration gives its login no base URL: ${reason}`,
    path,
    hint: "Its auth.json is used at the configured upstream. Correct the file and start again if that is not meant.",
  })
  if (find.type === "none") return { baseUrls: {}, notices: [] }
  if (find.type === "broken") return { baseUrls: {}, notices: [ignored(find.reason)] }
  const { baseUrls, remarks } = pickBaseUrls(find.config, own)
  return { baseUrls, notices: baseUrls[kind] === undefined ? remarks.map(ignored) : [] }
}

/** What the login in the file belongs to. One that is missing or broken may hold tokens later. */
function kindOfLogin(path: string): ProviderId {
  try {
    return parseAccountFile(readFileSync(path, "utf8")).drafts[0]?.provider ?? "codex"
  } catch {
    // Told when the file is loaded.
    return "codex"
  }
}

/** Opens it: `auth.json` and, for its base URL, `config.toml`. A file that serves already is not opened twice. */
export function openCodexCli(parts: CodexCliParts): OpenedSources {
  const path = join(parts.home, "auth.json")
  if (parts.isLoaded(path)) {
    const message = "import-codex-cli: the Codex CLI's auth.json serves already, by another setting"
    return { sources: [], notices: [{ level: "info", message, path }] }
  }
  const kind = kindOfLogin(path)
  const { baseUrls, notices } = readBaseUrls(parts, kind)
  const source = fileSource({
    path,
    terms: { isBorrowed: true, baseUrls },
    hint: "Sign in with `codex login`. If the CLI keeps its login in the keychain, use `creds-store: keychain`.",
  })
  // A key cannot be lost by being used twice.
  const borrowed = kind === "codex" ? [borrowedNotice(path, "import-codex-cli")] : []
  return { sources: [source], notices: [...notices, ...borrowed] }
}
