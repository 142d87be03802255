/** Objects whose optional members are absent instead of undefined. */

/** The members of `T`, each absent or present with a value. */
export type Compact<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Returns a copy of `value` without its undefined members. */
export function compact<T extends object>(value: T): Compact<T> {
  // Exactly the members that are not undefined remain, which is what the type says.
  return Object.fromEntries(Object.entries(value).filter(entry => entry[1] !== undefined)) as Compact<T>
}
