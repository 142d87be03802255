/** Objects whose optional members are absent instead of undefined. */

/** The members of `T`, each absent or present with a value. */
export type Compact<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Returns a copy of `value` without its undefined members. */
export function compact<T extends object>(value: T): Compact<T> {
  const result: Compact<T> = {}
  // A loop because a thousand files at start pass here several times each; entries and fromEntries took twice as long.
  for (const key in value) {
    const member = value[key]
    // Just compared with undefined, which is all that `Exclude` takes away.
    if (member !== undefined) result[key] = member as Exclude<T[typeof key], undefined>
  }
  return result
}
