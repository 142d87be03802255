/** A store without client keys, for tests of keys from the configuration. */

import type { StoredKeys } from "#gateway/keys/stored-keys.ts"

/** Nothing is stored, and nothing is needed for that. */
export const NO_STORED_KEYS: StoredKeys = {
  areNeeded: () => false,
  ensureReadable: () => {},
  admit: () => undefined,
  trustedProxies: () => [],
}
