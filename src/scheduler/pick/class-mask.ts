/** Sets of class numbers as bits, 32 to a word. */

/** A set of class numbers. */
export type ClassMask = Uint32Array

/** Makes an empty set that has room for `classes` numbers. */
export function makeClassMask(classes: number): ClassMask {
  return new Uint32Array(Math.ceil(classes / 32))
}

/** Adds a number below the room the set was made with. */
export function addClass(mask: ClassMask, classId: number): void {
  const word = classId >> 5
  mask[word] = (mask[word] ?? 0) | (1 << (classId & 31))
}

/** True when the set has the number; undefined is in no set. */
export function hasClass(mask: ClassMask, classId: number | undefined): boolean {
  return classId !== undefined && ((mask[classId >> 5] ?? 0) & (1 << (classId & 31))) !== 0
}
