/** A mend taken out of the source again: with it gone, the tests of its fault must fail. */

/** `file` is a path in the checkout that contains `find` exactly once; `test` is the test file that must then fail. */
export type Mend = {
  readonly fault: number
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly test: string
}
