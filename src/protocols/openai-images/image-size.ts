/** Which sizes the image model draws. */

import { invalidRequest } from "#protocols/check-body.ts"

const STEP_PIXELS = 16
const MAX_RATIO = 3
const MAX_PIXELS = 8_294_400

/** Throws `invalid-request` (`size`) for a size that `model` is known to refuse; other models' sizes are theirs to judge. */
export function checkImageSize(size: string | undefined, model: string): void {
  if (size === undefined || size === "auto" || !model.startsWith("gpt-image-2")) return
  const [width = 0, height = 0] = size.split("x").map(Number)
  const fault = faultOf(width, height)
  if (fault !== undefined)
    throw invalidRequest(`'${size}' is not a size of ${model}: ${fault}.`, "size", "invalid_value")
}

function faultOf(width: number, height: number): string | undefined {
  if (width % STEP_PIXELS !== 0 || height % STEP_PIXELS !== 0) return `both sides must be multiples of ${STEP_PIXELS}`
  if (Math.max(width, height) > MAX_RATIO * Math.min(width, height))
    return `no side may be over ${MAX_RATIO} times the other`
  return width * height > MAX_PIXELS ? `at most ${MAX_PIXELS} pixels` : undefined
}
