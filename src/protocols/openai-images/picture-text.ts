/** How a picture is written: members that both forms of the answer share. */

import { literalBody } from "#wire/json-literal.ts"

import type { Picture } from "./pictures.ts"

/** How it came out, as members without braces: format, and what else the upstream states. */
export function lookText({ format, look }: Picture): string {
  const { background, quality, size } = look
  return Object.entries({ background, output_format: format, quality, size })
    .flatMap(([name, value]) => (value === undefined ? [] : [`"${name}":${JSON.stringify(value)}`]))
    .join(",")
}

/** The picture as a data URL; its base64 is spliced. */
export function dataUrlText({ base64, format }: Picture): string {
  return `"data:image/${format};base64,${literalBody(base64)}"`
}
