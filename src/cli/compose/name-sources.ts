/** The accounts beside those in `auth-dir` that a configuration names. */

import { dirname } from "node:path"

import { openCodexCli } from "#accounts/elsewhere/codex-cli.ts"
import type { ReadableKeychain } from "#accounts/elsewhere/codex-keychain.ts"
import { openCredsStore } from "#accounts/elsewhere/creds-store.ts"
import { fileSource, type NamedSource } from "#accounts/elsewhere/named-source.ts"
import type { OpenedSources } from "#accounts/elsewhere/opened-sources.ts"
import { poolSources } from "#accounts/elsewhere/pool-sources.ts"
import type { Config } from "#config/config.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import type { Log } from "#telemetry/log.ts"

import { poolEgresses } from "./pool-egresses.ts"

/** The machine the sources lie on. */
type SourcesPlace = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly keychain: ReadableKeychain
}

const NONE: OpenedSources = { sources: [], notices: [] }

/** The files among them, for commands that look beside a gateway: nothing is taken over, no keychain asked. */
export function namedFiles(config: Config): readonly NamedSource[] {
  const { mode, path } = config.credsStore
  const pool = poolOf(config)
  const hasFile = mode === "auto" || mode === "xdg" || mode === "legacy"
  const own = hasFile ? [fileSource({ path, terms: {} })] : []
  return [...pool, ...own, ...cliOf(config, [...pool, ...own]).sources]
}

/** Opens all of them, in the order in which they count. Rejects with `internal` for one that can never be used. */
async function nameSources(config: Config, place: SourcesPlace): Promise<OpenedSources> {
  const store = await openStoreOf(config, place)
  const named = [...poolOf(config), ...store.sources]
  const cli = cliOf(config, named)
  return { sources: [...named, ...cli.sources], notices: [...store.notices, ...cli.notices] }
}

function poolOf({ credentialPool }: Config): readonly NamedSource[] {
  const egresses = poolEgresses(credentialPool)
  return poolSources(credentialPool.map(entry => ({ ...entry, egress: egresses.get(entry.id)?.id })))
}

function cliOf(config: Config, named: readonly NamedSource[]): OpenedSources {
  const { isImported, home } = config.codexCli
  if (!isImported) return NONE
  const isLoaded = (path: string): boolean => isInFolder(path, config) || named.some(source => source.path === path)
  return openCodexCli({ home, own: config.listen, isLoaded })
}

/** Opens them and says in the log what an operator should know. */
export async function openSources(config: Config, place: SourcesPlace, log: Log): Promise<readonly NamedSource[]> {
  const { sources, notices } = await nameSources(config, place)
  for (const { level, message, ...fields } of notices) log[level](fields, message)
  return sources
}

async function openStoreOf({ credsStore, codexCli }: Config, { env, keychain }: SourcesPlace): Promise<OpenedSources> {
  const { mode, path, refreshesTakenOver } = credsStore
  if (mode === "off") return NONE
  return openCredsStore({
    mode,
    ownPath: path,
    legacyPath: `${codexCli.home}/auth.json`,
    codexHome: codexCli.home,
    refreshesTakenOver,
    env,
    keychain,
    platform: process.platform,
    clock: systemClock,
    timers: systemTimers,
  })
}

function isInFolder(path: string, { authDir }: Config): boolean {
  return dirname(path) === authDir && path.endsWith(".json")
}
