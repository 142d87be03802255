/** The system's C library, for the few calls that Bun has no function for. */

import { dlopen, type FFIFunction } from "bun:ffi"

const NAMES = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`]

/** Opens it for these functions; undefined where there is none that is known. */
export function openLibc<Functions extends Record<string, FFIFunction>>(functions: Functions) {
  for (const name of NAMES) {
    try {
      return dlopen(name, functions).symbols
    } catch {
      // Another C library: the next name is tried, and without any the caller does without.
    }
  }
  return undefined
}
