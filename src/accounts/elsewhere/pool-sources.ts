/** The entries of ProxyCast's `credential_pool.codex` as sources. */

import { compact } from "#accounts/formats/compact.ts"

import { fileSource, type NamedSource } from "./named-source.ts"

/** One entry; `egress` names its way out. */
export type PoolSourceEntry = {
  readonly id: string
  /** Absolute path. */
  readonly tokenFile: string
  readonly isDisabled: boolean
  readonly egress: string | undefined
}

/** Makes a source of each entry. One that is disabled is left out, also where its file lies in the watched folder. */
export function poolSources(entries: readonly PoolSourceEntry[]): readonly NamedSource[] {
  return entries.map(({ id, tokenFile, isDisabled, egress }) =>
    fileSource({
      path: tokenFile,
      terms: { label: id, ...compact({ egress }) },
      hint: `credential-pool.codex names it as token_file of "${id}": put the file there, or correct the entry.`,
      ...(isDisabled && { isLeftOut: true }),
    }),
  )
}
