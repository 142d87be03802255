/** The built-in defaults, as the schema states them. */

import { CONFIG_KEYS } from "./keys.ts"
import type { Setting } from "./problem.ts"

/**
 * Returns the default of every setting. `config/default.yaml` shows the same values and a test compares the two: reading
 * the file at every start took 4 ms of the 100 a start may take.
 */
export function readDefaults(): readonly Setting[] {
  // Every leaf of the schema is made with a default, see leaf.ts.
  return CONFIG_KEYS.map(({ path, schema }) => ({
    path,
    value: schema.default as unknown,
    source: { type: "default" },
  }))
}
