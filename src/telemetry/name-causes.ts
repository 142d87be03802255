/** What may be said about the causes of an error. */

import type { GatewayError } from "#core/errors.ts"

const MAX_CAUSES = 5

/**
 * Names the chain of causes, for bugs with the place in the code; undefined when there is none. Messages stay out: a
 * parser's may quote a prompt or a token.
 */
export function nameCauses(error: GatewayError): string | undefined {
  const names: string[] = []
  for (let cause = error.cause; cause instanceof Error && names.length < MAX_CAUSES; cause = cause.cause) {
    names.push(cause.name + (error.kind === "internal" ? placeOf(cause) : ""))
  }
  return names.length === 0 ? undefined : names.join(" < ")
}

function placeOf(error: Error): string {
  const frame = error.stack?.split("\n").find(line => /^\s+at /.test(line))
  return frame === undefined ? "" : ` ${frame.trim()}`
}
