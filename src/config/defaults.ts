/** The built-in defaults: `config/default.yaml`, carried inside the binary. */

// The only file that lies outside `src`, where no import alias reaches.
import defaultYaml from "../../config/default.yaml" with { type: "text" }
import { readFileLayer } from "./file-layer.ts"
import type { Setting } from "./problem.ts"

/** Returns the default of every setting. Throws when the built-in file is broken, which a test rules out. */
export function readDefaults(): readonly Setting[] {
  // Imported as text, so the bundler hands over a string.
  const { settings, problems } = readFileLayer(String(defaultYaml), "config/default.yaml")
  if (problems[0] !== undefined) throw new Error(`config/default.yaml: ${problems[0].message}`)
  return settings.map(setting => ({ ...setting, source: { type: "default" } }))
}
