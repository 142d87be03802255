/** What this program is called and which build it is. */

declare const SLUICE_VERSION: string | undefined
declare const SLUICE_COMMIT: string | undefined

/** Version of the package; the build writes it in, a checkout is `0.1.0-dev`. */
export const VERSION = typeof SLUICE_VERSION === "string" ? SLUICE_VERSION : "0.1.0-dev"

/** Short commit of the build, `source` when run from a checkout. */
export const COMMIT = typeof SLUICE_COMMIT === "string" ? SLUICE_COMMIT : "source"
