/** Reads the operator's model catalogue, the setting `models`. */

import { GatewayError } from "#core/errors.ts"
import { type ModelOverride, readModelOverrides } from "#gateway/models/model-override.ts"

/** Returns the overrides of the JSON file at `path`, none without a path. Rejects with `invalid-request` naming the file. */
export async function readModelOverrideFile(path: string | undefined): Promise<readonly ModelOverride[]> {
  if (path === undefined) return []
  let json: unknown
  try {
    json = await Bun.file(path).json()
  } catch (cause) {
    throw new GatewayError("invalid-request", `The model catalogue ${path} cannot be read as JSON.`, {
      hint: "Correct the file, or remove the setting `models`.",
      cause,
    })
  }
  const overrides = readModelOverrides(json)
  if (overrides.length > 0) return overrides
  throw new GatewayError("invalid-request", `The model catalogue ${path} holds no models.`, {
    hint: 'It should look like { "models": [{ "slug": "…" }] }; see docs/models.md.',
  })
}
