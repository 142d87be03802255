/** What a gateway's log tells of accounts whose refresh has no known end. */

import { isJsonObject, type JsonObject, stringAt } from "#core/json.ts"

/** How far the story of one account has come. */
export type Doubt = "uncertain" | "renewed" | "login"

/** The story of one process. */
export type LogStory = {
  /** Reads what has been printed since the last time. */
  readonly read: (output: string) => void
  /** By account id; the last word counts. */
  readonly doubts: ReadonlyMap<string, Doubt>
  /** Accounts of which the log says that they cannot be refreshed, without the reason or without what to do. */
  readonly unexplained: ReadonlySet<string>
}

/** Makes an empty story. */
export function makeLogStory(): LogStory {
  const doubts = new Map<string, Doubt>()
  const unexplained = new Set<string>()
  let readTo = 0
  const take = (entry: JsonObject, account: string): void => {
    const said = stringAt(entry, "msg") ?? ""
    if (said.startsWith("a token refresh has no known end")) doubts.set(account, "uncertain")
    if (said === "access token refreshed" && doubts.has(account)) doubts.set(account, "renewed")
    if (said !== "account cannot be refreshed any more") return
    const isExplained = stringAt(entry, "explanation") !== undefined && stringAt(entry, "hint") !== undefined
    if (isExplained) doubts.set(account, "login")
    else unexplained.add(account)
  }
  return {
    doubts,
    unexplained,
    read: output => {
      const end = output.lastIndexOf("\n") + 1
      if (end <= readTo) return
      for (const line of output.slice(readTo, end).split("\n")) {
        const entry: unknown = line.startsWith("{") ? JSON.parse(line) : undefined
        const account = isJsonObject(entry) ? stringAt(entry, "account") : undefined
        if (isJsonObject(entry) && account !== undefined) take(entry, account)
      }
      readTo = end
    },
  }
}
