/** What is known of a client that people have on their machine: its files, what it would do now, how it is told otherwise. */

import type { JsonObject } from "#core/json.ts"

/** The clients that can be checked; the first five also be set up. */
export type ClientName =
  | "codex"
  | "claude"
  | "opencode"
  | "gemini"
  | "continue"
  | "openai"
  | "anthropic"
  | "genai"
  | "aider"

/** Whose configuration: the variables are those a client started from here would see. */
export type ClientPlace = {
  readonly home: string
  /** The home was named on the command line: variables that lead a client elsewhere do not count. */
  readonly homeGiven: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

/** How a client shall reach the gateway. */
export type GatewayWish = {
  /** Without a slash at its end and without `/v1`. */
  readonly origin: string
  readonly key: string
  /** Absent = the client's own choice, where it has one that is served. */
  readonly model: string | undefined
  /** Tokens that fit into the model; absent = the gateway could not be asked. */
  readonly windowTokens: number | undefined
}

/** A change to one file of a client. */
export type FileChange = {
  readonly path: string
  /** Reads a text of this file; throws for a broken one. */
  readonly read: (text: string) => JsonObject
  readonly edit: (text: string) => string
  /** What the file says after the change, in terms of what it said before. */
  readonly expect: (before: JsonObject) => JsonObject
}

/** Something a check has found. A problem must change; a note may be meant so. */
export type Finding = {
  readonly status: "ok" | "note" | "problem"
  readonly text: string
  /** What to do. */
  readonly fix?: string
}

/** A value a client goes by, and where it stands. Secrets are never shown. */
export type Fact = {
  readonly value: string
  readonly where: string
  /** The file it stands in; absent = the environment, or nowhere. */
  readonly file?: string
}

/** What a client would do if it were started now. */
export type ClientView = {
  /** Its files that exist. */
  readonly files: readonly string[]
  /** Something is known of it: a file, or a variable. */
  readonly isFound: boolean
  /** What is right or wrong before anybody is asked. */
  readonly findings: readonly Finding[]
  /** Absent = it goes to its vendor. */
  readonly baseUrl?: Fact
  /** Endings that a base URL of this client may have here; the first is the one to write. */
  readonly urlPaths: readonly string[]
  readonly key?: Fact
  readonly keyHeader: "authorization" | "x-api-key" | "x-goog-api-key"
  /** Names it would ask for. */
  readonly models: readonly Fact[]
  /** All it takes from the environment, its own files of variables included. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Variables whose proxy it would send even loopback requests to. */
  readonly proxyVariables: readonly string[]
  /** How to say the base URL, the key and the model to it by hand. */
  readonly remedies: Readonly<Record<"baseUrl" | "key" | "model", (value: string) => string>>
}

/** A client that can be checked. */
export type Client = {
  readonly name: ClientName
  readonly title: string
  readonly view: (place: ClientPlace) => Promise<ClientView>
  /** Absent = it has no file that could be written. */
  readonly setup?: {
    /** Every file that a setup may have changed. */
    readonly files: (place: ClientPlace) => readonly string[]
    /** Model where none was wished for; absent = its own names are served. */
    readonly defaultModel?: string
    readonly changes: (place: ClientPlace, wish: GatewayWish) => Promise<readonly FileChange[]>
    /** The model an earlier setup has put in; for clients that need one. */
    readonly model?: (place: ClientPlace) => Promise<string | undefined>
  }
}
