/** Chooses the place the master key comes from. */

import { GatewayError } from "#core/errors.ts"

import { envKeySlots, fileKeySlots, type KeySlots } from "./key-slots.ts"
import { type Keychain, keychainKeySlots } from "./keychain-slots.ts"

/** The variable that may hold the key itself. */
const MASTER_KEY_VARIABLE = "SLUICE_MASTER_KEY"

/** What the choice depends on. */
export type KeyPlaceParts = {
  /** `auto` = the variable when it is set, else the file. */
  readonly source: "auto" | "env" | "file" | "keychain"
  /** Absolute path. */
  readonly file: string
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly keychain: Keychain
}

/** Returns the place. Throws `internal` when the variable is asked for and not set. */
export function pickKeySlots({ source, file, dataDir, env, keychain }: KeyPlaceParts): KeySlots {
  const text = env[MASTER_KEY_VARIABLE] ?? ""
  switch (source) {
    case "auto":
      return text === "" ? fileKeySlots(file) : envKeySlots(MASTER_KEY_VARIABLE, text)
    case "file":
      return fileKeySlots(file)
    case "keychain":
      return keychainKeySlots(keychain, dataDir)
    case "env":
      if (text !== "") return envKeySlots(MASTER_KEY_VARIABLE, text)
      throw new GatewayError("internal", `\`master-key-source\` is env, and ${MASTER_KEY_VARIABLE} is not set.`, {
        hint: "Set it to 32 random bytes; `openssl rand -base64 32` makes some.",
      })
  }
}
