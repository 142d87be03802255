/** Which folder of `src` may import what: the table of docs/architecture.md in a form tests can read. */

/** What one folder may import besides itself. */
export type FolderRule = {
  /** Other folders of `src`; `all` for the folder that wires everything. */
  readonly folders: readonly string[] | "all"
  /** Folders of which only types may be imported. */
  readonly typesOnly?: readonly string[]
}

/** One row a folder, in the order of the picture from the ground up. */
export const FOLDER_RULES = {
  core: { folders: [] },
  wire: { folders: ["core"] },
  protocols: { folders: ["core", "wire"] },
  providers: { folders: ["core", "wire"] },
  accounts: { folders: ["core"] },
  scheduler: { folders: ["core"] },
  transport: { folders: ["core", "wire"] },
  store: { folders: ["core"] },
  config: { folders: ["core"] },
  telemetry: { folders: ["core"] },
  gateway: {
    folders: [
      "core",
      "wire",
      "protocols",
      "providers",
      "accounts",
      "scheduler",
      "transport",
      "store",
      "config",
      "telemetry",
    ],
  },
  http: { folders: ["core", "wire", "config", "telemetry", "protocols", "gateway"] },
  relay: { folders: ["core", "wire", "protocols", "providers", "transport", "gateway", "http"] },
  dashboard: { folders: ["core"], typesOnly: ["http"] },
  simulator: { folders: ["core", "wire"] },
  cli: { folders: "all" },
} as const satisfies Record<string, FolderRule>

/** Packages and runtime modules that belong to one folder alone; a trailing `/` covers everything below. */
export const OWNED_MODULES = {
  elysia: ["http"],
  "@elysiajs/": ["http"],
  "bun:sqlite": ["store"],
  "gpt-tokenizer/": ["gateway"],
  "jsonc-parser": ["cli"],
  pino: ["telemetry"],
  "pino-pretty": ["telemetry"],
  "toml-eslint-parser": ["cli"],
  yaml: ["config", "cli"],
} as const satisfies Record<string, readonly string[]>

/** Folders that compute and touch nothing outside: the only modules besides `src` they may import. */
export const PURE_FOLDERS = {
  core: [],
  wire: ["node:buffer"],
  scheduler: [],
  protocols: ["@sinclair/typebox", "@sinclair/typebox/compiler", "@sinclair/typebox/value", "node:crypto"],
} as const satisfies Record<string, readonly string[]>

/** Files that hold lists by nature and so may import more than twelve modules. */
export const LONG_IMPORT_LISTS = ["main.ts", "server.ts", "registry.ts", "commands.ts", "admin.ts"]

/** Most lines of a file. */
export const MAX_FILE_LINES = 400

/** Most imports of a file. */
export const MAX_IMPORTS = 12
