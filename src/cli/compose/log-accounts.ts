/** Says in the log what happens to accounts: names masked, reasons without secrets, and what to do next. */

import type { AccountPoolEvent } from "#accounts/account-pool.ts"
import { filePathOf, maskLabel } from "#core/account.ts"
import { assertNever } from "#core/assert-never.ts"
import type { Log, LogLevel } from "#telemetry/log.ts"
import { nameCauses } from "#telemetry/name-causes.ts"

/** Writes one line for an event. */
export function logAccountEvent(event: AccountPoolEvent, log: Log): void {
  // A thousand of these come at start, and the line is for debugging only.
  if (event.type === "account-added" && log.level() !== "debug") return
  const { level, fields, message } = lineOf(event)
  log[level](fields, message)
}

type Line = { readonly level: LogLevel; readonly fields: object; readonly message: string }
type EventOf<Type extends AccountPoolEvent["type"]> = Extract<AccountPoolEvent, { readonly type: Type }>

function lineOf(event: AccountPoolEvent): Line {
  switch (event.type) {
    case "account-added":
    case "account-changed":
    case "account-removed":
      return line("debug", event.type, { account: event.account.id, label: maskLabel(event.account.label) })
    case "credential-renewed":
      return line("info", "access token refreshed", {
        account: event.account.id,
        label: maskLabel(event.account.label),
      })
    case "stored-account-failed":
      return line("error", "a stored account cannot be used or saved", {
        account: event.accountId,
        reason: event.reason,
      })
    case "account-duplicated":
      return line("warn", "the account is in two places; one of them serves", {
        account: event.accountId,
        path: event.path,
        servedFrom: event.servedFrom,
      })
    case "file-broken":
    case "file-repaired":
    case "directory-missing":
    case "directory-failed":
    case "source-missing":
    case "login-expired":
      return fileLine(event)
    case "account-effect":
    case "credential-uncertain":
    case "refresh-failed":
    case "refresh-crashed":
      return refreshLine(event)
    case "commit-failed":
    case "commit-recovered":
    case "file-not-written":
      return commitLine(event)
    default:
      return assertNever(event)
  }
}

type FileEventName =
  | "file-broken"
  | "file-repaired"
  | "directory-missing"
  | "directory-failed"
  | "source-missing"
  | "login-expired"

function fileLine(event: EventOf<FileEventName>): Line {
  switch (event.type) {
    case "file-broken":
      return line("warn", "account file cannot be used", { path: event.path, reasons: event.reasons })
    case "file-repaired":
      return line("info", "account file is readable again", { path: event.path })
    case "directory-missing":
      // Not a warning: accounts that were signed in or imported need no folder.
      return line("info", "account folder does not exist", { path: event.path, hint: event.hint })
    case "directory-failed":
      return line("warn", "account folder cannot be listed", { path: event.path, reason: event.error.message })
    case "source-missing":
      return line("warn", "there is no account where one was named", { path: event.path, hint: event.hint })
    case "login-expired":
      return line("warn", "a login that another program renews has expired; its account rests until it is renewed", {
        account: event.account.id,
        label: maskLabel(event.account.label),
        path: filePathOf(event.account),
        hint: "Use the other program once, or sign in for the gateway alone with `sluice login`.",
      })
    default:
      return assertNever(event)
  }
}

const WHY_LOST = "a refresh used the token up and its answer never arrived, by a crash or a broken connection"

type RefreshEvent = EventOf<"account-effect" | "credential-uncertain" | "refresh-failed" | "refresh-crashed">

function refreshLine(event: RefreshEvent): Line {
  switch (event.type) {
    case "account-effect":
      return line("warn", "account cannot be refreshed any more", {
        account: event.accountId,
        effect: event.effect.type,
        code: event.detail,
        ...(event.afterLostAnswer && { explanation: WHY_LOST }),
        hint: "`sluice login` signs the account in again and replaces its credential.",
      })
    case "credential-uncertain":
      return line("warn", "a token refresh has no known end; the account is asked for first", {
        account: event.accountId,
        origin: event.origin,
      })
    case "refresh-failed":
      return line("warn", "refreshing the access token failed", {
        account: event.accountId,
        class: event.failure.class,
        code: event.failure.code,
      })
    case "refresh-crashed":
      return line("error", "refreshing crashed", { reason: event.error.message, causes: nameCauses(event.error) })
    default:
      return assertNever(event)
  }
}

function commitLine(event: EventOf<"commit-failed" | "commit-recovered" | "file-not-written">): Line {
  switch (event.type) {
    case "commit-failed":
      return line("error", "a rotated credential could not be stored; memory keeps it and refreshing stands still", {
        account: event.accountId,
        journalled: event.journalled,
        reason: event.reason,
      })
    case "commit-recovered":
      return line("info", "all credentials are stored again", {})
    case "file-not-written":
      return line("warn", "account file could not be rewritten; the database has the new token", {
        path: event.path,
        reason: event.reason,
      })
    default:
      return assertNever(event)
  }
}

function line(level: LogLevel, message: string, fields: object): Line {
  return { level, fields, message }
}
