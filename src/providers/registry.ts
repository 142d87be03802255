/** The table of providers: a new one does not compile without its line here. */

import type { ProviderId } from "#core/ids.ts"

import { makeCodexProvider } from "./codex.ts"
import { makeOpenaiApiProvider, readApiFailure } from "./openai-api.ts"
import type { Provider, ProviderParts } from "./provider.ts"
import { readFailure } from "./read-failure.ts"

/** Makes every provider once. Made anew when the identity in the configuration changes. */
export function makeProviders(parts: ProviderParts): Readonly<Record<ProviderId, Provider>> {
  return {
    codex: makeCodexProvider(parts),
    "openai-api": makeOpenaiApiProvider(),
  } satisfies Record<ProviderId, Provider>
}

type ReadFailure = Provider["readFailure"]

/** How each provider reads a failure, for those who call nobody. */
export const failureReaders: Readonly<Record<ProviderId, ReadFailure>> = {
  codex: readFailure,
  "openai-api": readApiFailure,
}
