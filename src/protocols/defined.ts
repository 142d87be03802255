/** Drops undefined members, so that optional keys are absent instead of undefined. */

/** `values` with every key optional and never undefined. */
export type Defined<Values> = { [Key in keyof Values]?: Exclude<Values[Key], undefined> }

/** Returns a copy of `values` without the keys whose value is undefined; key order is kept. */
export function defined<Values extends object>(values: Values): Defined<Values> {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined)
  // The filter has removed exactly what `Defined` excludes.
  return Object.fromEntries(kept) as Defined<Values>
}
