/** Exhaustiveness check for switches over unions. */

/** Fails to compile when a union member was not handled; throws when a value lied about its type. */
export function assertNever(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`)
}
