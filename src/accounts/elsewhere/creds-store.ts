/** The one account that `creds-store` names, in the places where dvcrn/codex-proxy keeps it. */

import type { Clock } from "#core/clock.ts"

import { keychainSource } from "./codex-keychain.ts"
import { type Environment, environmentSource } from "./environment-source.ts"
import { fileSource } from "./named-source.ts"
import { borrowedNotice, type OpenedSources, type SourceNotice } from "./opened-sources.ts"
import { sharesLogin, type TakeOver, type TakeOverParts, takeOver } from "./take-over.ts"

/** The places. */
export type CredsStoreMode = "auto" | "xdg" | "legacy" | "keychain" | "env"

/** What opening it needs. For `xdg` and `legacy`, `ownPath` is the file that is used in place. */
export type CredsStoreParts = TakeOverParts & {
  readonly mode: CredsStoreMode
  readonly refreshesTakenOver: boolean
  readonly env: Environment
  readonly clock: Clock
}

const LEGACY_NOTICE =
  "the Codex CLI's own login is used and refreshed in place; two programs that refresh one login can sign each other out"

const SEPARATE = "`sluice login` gives the gateway a login of its own; then take creds-store out."

/** Opens it. Rejects with `internal` when the mode is `env` and the variable cannot be used. */
export async function openCredsStore(parts: CredsStoreParts): Promise<OpenedSources> {
  const { mode, ownPath: path } = parts
  switch (mode) {
    case "auto":
      return openAuto(parts)
    case "xdg":
      return { sources: [fileSource({ path, terms: {}, hint: missingHint(path) })], notices: [] }
    case "legacy":
      return {
        sources: [
          fileSource({ path, terms: {}, hint: "Sign in with `codex login`, or name the file with creds-path." }),
        ],
        notices: [{ level: "warn", message: LEGACY_NOTICE, path, hint: SEPARATE }],
      }
    case "keychain": {
      const source = keychainSource(parts)
      return { sources: [source], notices: [borrowedNotice(source.path, "creds-store")] }
    }
    case "env":
      return { sources: [environmentSource(parts.env)], notices: [] }
  }
}

function missingHint(path: string): string {
  return `Put the login there, or start once with \`creds-store: auto\`, which makes ${path} from the Codex CLI's.`
}

async function openAuto(parts: CredsStoreParts): Promise<OpenedSources> {
  const { ownPath: path, refreshesTakenOver } = parts
  const taken = await takeOver(parts)
  // Also when it was taken over by a start that did not get as far as the refresh.
  const isShared = taken.type === "taken" ? taken.isRenewable : await isLoginShared(parts)
  const source = fileSource({
    path,
    terms: {},
    hint: missingHint(path),
    ...(isShared && refreshesTakenOver && { isTakenOver: true }),
  })
  const shared = isShared ? [sharedNotice(path, refreshesTakenOver)] : []
  return { sources: [source], notices: [...takeOverNotices(taken, path), ...shared] }
}

async function isLoginShared({ ownPath, legacyPath }: CredsStoreParts): Promise<boolean> {
  try {
    return await sharesLogin(ownPath, legacyPath)
  } catch {
    // Our own file's trouble is told when it is loaded, and a CLI's file that cannot be read is nobody's partner here.
    return false
  }
}

function takeOverNotices(taken: TakeOver, path: string): readonly SourceNotice[] {
  switch (taken.type) {
    case "present":
      return []
    case "taken":
      return [{ level: "info", message: `the login of ${taken.from} was taken over`, path }]
    case "failed":
      return [{ level: "warn", message: `no login was taken over: ${taken.reason}`, path, hint: taken.hint }]
  }
}

function sharedNotice(path: string, refreshes: boolean): SourceNotice {
  if (refreshes) {
    return {
      level: "warn",
      message:
        "the login is refreshed now, which uses up the Codex CLI's refresh token: the CLI works until its access token expires",
      path,
      hint: "When the CLI asks, sign in there again with `codex login`; from then on each has a login of its own.",
    }
  }
  return {
    level: "warn",
    message: "the gateway and the Codex CLI share one login; whoever refreshes first signs the other out",
    path,
    hint: "Take disable-migrate-refresh out, or sign in anew for one of them.",
  }
}
