/** The place of the master key that a configuration names. */

import type { KeySlots } from "#accounts/secrets/key-slots.ts"
import { pickKeySlots } from "#accounts/secrets/pick-key-slots.ts"
import type { Config } from "#config/config.ts"

/** Returns the place on this machine. Throws `internal` when it cannot be used. */
export function keyPlace(config: Config, env: Readonly<Record<string, string | undefined>>): KeySlots {
  return pickKeySlots({ ...config.masterKey, dataDir: config.dataDir, env, keychain: Bun.secrets })
}
