/** The settings about accounts that lie outside `auth-dir`, as the rest of the program reads them. */

import { join } from "node:path"

import { toPath } from "./paths.ts"
import type { ConfigValues } from "./schema.ts"

/** The part of a configuration that names accounts beside those in `auth-dir`. All paths are absolute. */
export type AccountSourcesConfig = {
  readonly credsStore: {
    readonly mode: ConfigValues["creds-store"]
    /** The file of the modes that have one: the own one for `auto` and `xdg`, the Codex CLI's for `legacy`. */
    readonly path: string
    /** A login that was taken over is refreshed at once, which gives it a token line of its own. */
    readonly refreshesTakenOver: boolean
  }
  /** The Codex CLI's folder, and whether its login serves here too. */
  readonly codexCli: { readonly home: string; readonly isImported: boolean }
  readonly credentialPool: readonly PoolEntry[]
}

/** One account of `credential-pool.codex`. */
export type PoolEntry = {
  readonly id: string
  readonly tokenFile: string
  readonly isDisabled: boolean
  /** Undefined = the configured way out. May hold a password: never log it. */
  readonly proxyUrl: string | undefined
}

/** What the paths are resolved against. */
export type SourcePlace = {
  readonly cwd: string
  readonly homeDir: string
  readonly xdgConfigHome: string | undefined
  readonly codexHome: string | undefined
}

/** Reads the settings; `authDir` is absolute. */
export function makeAccountSources(values: ConfigValues, authDir: string, place: SourcePlace): AccountSourcesConfig {
  const { cwd, homeDir } = place
  const codexHome = toPath(place.codexHome ?? "~/.codex", cwd, homeDir)
  const mode = values["creds-store"]
  const given = values["creds-path"]
  const configHome = place.xdgConfigHome ?? join(homeDir, ".config")
  const standard = mode === "legacy" ? join(codexHome, "auth.json") : join(configHome, "codex-proxy", "auth.json")
  return {
    credsStore: {
      mode,
      path: given === "" ? standard : toPath(given, cwd, homeDir),
      refreshesTakenOver: !values["disable-migrate-refresh"],
    },
    codexCli: { home: codexHome, isImported: values["import-codex-cli"] },
    credentialPool: values["credential-pool"].codex.map(entry => ({
      id: entry.id,
      tokenFile: toPath(entry.token_file, authDir, homeDir),
      isDisabled: entry.disabled ?? false,
      proxyUrl: entry.proxy_url?.replace(/\/$/, "") || undefined,
    })),
  }
}

/** Names what is odd among these settings but possible. */
export function remarksOnSources(values: ConfigValues): readonly string[] {
  const mode = values["creds-store"]
  const hasFile = mode === "auto" || mode === "xdg" || mode === "legacy"
  return [
    ...(values["creds-path"] !== "" && !hasFile ? [`creds-path: has no effect with creds-store ${mode}`] : []),
    ...(values["disable-migrate-refresh"] && mode !== "auto"
      ? ["disable-migrate-refresh: has an effect only with creds-store auto"]
      : []),
  ]
}

/** Says which entries of the pool repeat a name or a file; one line each. */
export function repeatsIn(entries: readonly PoolEntry[]): readonly string[] {
  return entries.flatMap((entry, index) => {
    const before = entries.slice(0, index)
    const sameId = before.findIndex(one => one.id === entry.id)
    if (sameId >= 0) return [`entry ${index + 1} has the id of entry ${sameId + 1}`]
    const sameFile = before.findIndex(one => one.tokenFile === entry.tokenFile)
    if (sameFile >= 0) return [`entry ${index + 1} has the token_file of entry ${sameFile + 1}`]
    return []
  })
}
