/** The shapes of account lists that can be taken in and given out, by the names operators use. */

/** One shape: what it is, and which way it goes. */
export type FormatFacts = {
  readonly title: string
  /** Entries are looked for in lines of text, in JSON entries, or in a document of its own kind. */
  readonly kind: "lines" | "entries" | "document"
  readonly canExport: boolean
}

/** All shapes; `docs/accounts.md` lists the same. */
export const FORMATS = {
  flat: { title: "flat entries: one object, an array, or one a line", kind: "entries", canExport: true },
  minimal: { title: "flat entries with refresh token and label only", kind: "entries", canExport: true },
  "codex-auth": { title: "the Codex client's auth.json", kind: "entries", canExport: true },
  tokens: { title: "tokens one a line, each told by its shape", kind: "lines", canExport: false },
  "refresh-tokens": { title: "refresh tokens one a line", kind: "lines", canExport: true },
  "access-tokens": { title: "access tokens one a line", kind: "lines", canExport: true },
  icebear: { title: '{"accounts": [{token, refreshToken, label}]}', kind: "document", canExport: true },
  codex2api: { title: "codex2api's flat or camel-case entries", kind: "entries", canExport: true },
  sub2api: { title: "sub2api's export, also as its API answers it", kind: "document", canExport: true },
  "codex-lb": { title: 'codex-lb\'s account list with "credentials"', kind: "document", canExport: true },
  dvcrn: { title: 'auth.json with "tokens.expiresAt", or "claudeAiOauth"', kind: "entries", canExport: true },
  opencode: { title: "opencode's auth.json", kind: "document", canExport: true },
  proxycast: { title: "ProxyCast's token file", kind: "entries", canExport: true },
} as const satisfies Record<string, FormatFacts>

/** A shape by name. */
export type ListFormat = keyof typeof FORMATS

/** True for the name of a shape. */
export function isListFormat(name: string): name is ListFormat {
  return Object.hasOwn(FORMATS, name)
}

/** All names, in the order of the table. */
export function listFormats(): readonly ListFormat[] {
  return Object.keys(FORMATS).filter(isListFormat)
}
