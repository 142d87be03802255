/** The Codex CLI's login in the keychain of the operating system; it is read and never written. */

import { realpathSync } from "node:fs"

import { sha256Hex } from "#accounts/fingerprint.ts"
import type { Clock } from "#core/clock.ts"

import type { NamedSource } from "./named-source.ts"

/** What is needed of a keychain; `Bun.secrets` fits. */
export type ReadableKeychain = {
  readonly get: (entry: { readonly service: string; readonly name: string }) => Promise<string | null>
}

/** What a look into the keychain came to. */
export type KeychainFind =
  | { readonly type: "found"; readonly text: string }
  | { readonly type: "nothing"; readonly hint: string }
  /** The keychain itself cannot be used; `reason` is its own message. */
  | { readonly type: "unreachable"; readonly reason: string; readonly hint: string }

/** How to look. */
export type CodexKeychainParts = {
  readonly keychain: ReadableKeychain
  /** The Codex CLI's folder; the name of its entry is made from it. */
  readonly codexHome: string
  readonly platform: NodeJS.Platform
}

const SERVICE = "Codex Auth"

/** Looking may ask the user for permission, so it is done seldom; a token lives for days. */
const LOOK_AGAIN_MS = 5 * 60_000

/** The CLI names its entry after the real path of its folder: https://github.com/openai/codex, codex-rs/login/src/auth/storage.rs. */
export function codexKeychainName(codexHome: string): string {
  return `cli|${sha256Hex(realOrGiven(codexHome)).slice(0, 16)}`
}

function realOrGiven(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // The CLI does the same with a folder that is not there.
    return path
  }
}

function nothingHint(platform: NodeJS.Platform): string {
  const signIn =
    "Sign in with `codex login` while its cli_auth_credentials_store is keyring, or with `sluice login` here."
  // Bun finds only entries with its own schema there, and the CLI writes others.
  return platform === "linux"
    ? `On Linux the Codex CLI's own entries cannot be read this way; \`secret-tool lookup service "${SERVICE}"\` can. ${signIn}`
    : signIn
}

/** Looks for the entry. Never rejects. */
export async function readCodexKeychain(parts: CodexKeychainParts): Promise<KeychainFind> {
  try {
    const text = await parts.keychain.get({ service: SERVICE, name: codexKeychainName(parts.codexHome) })
    return text === null ? { type: "nothing", hint: nothingHint(parts.platform) } : { type: "found", text }
  } catch (cause) {
    // Part of the result: whoever looks decides what it means that the keychain is closed.
    const reason = cause instanceof Error ? cause.message : "unexpected error"
    return {
      type: "unreachable",
      reason,
      hint: "Unlock the keychain for this user (on Linux a secret service has to run), or use `creds-store: auto` or `xdg`.",
    }
  }
}

/** Says in one sentence why there is no login. */
export function describeKeychainFind(find: Exclude<KeychainFind, { type: "found" }>): string {
  return find.type === "nothing"
    ? `The keychain has no entry of the Codex CLI. ${find.hint}`
    : `The keychain cannot be used: ${find.reason}. ${find.hint}`
}

/**
 * Makes the source. The CLI renews this login, so only its access token is used; the entry is looked at again after five
 * minutes. A keychain that closes meanwhile takes nothing away.
 */
export function keychainSource(parts: CodexKeychainParts & { readonly clock: Clock }): NamedSource {
  let last: KeychainFind | undefined
  let lookedAtMs = 0
  const look = async (): Promise<KeychainFind> => {
    const nowMs = parts.clock()
    if (last !== undefined && nowMs - lookedAtMs < LOOK_AGAIN_MS) return last
    lookedAtMs = nowMs
    const find = await readCodexKeychain(parts)
    if (find.type !== "unreachable" || last?.type !== "found") last = find
    return last
  }
  return {
    path: `keychain entry ${SERVICE}`,
    terms: { isBorrowed: true },
    place: {
      type: "text",
      read: async () => {
        const find = await look()
        return find.type === "found" ? find.text : undefined
      },
    },
    hint: () =>
      last === undefined || last.type === "found" ? nothingHint(parts.platform) : describeKeychainFind(last),
  }
}
