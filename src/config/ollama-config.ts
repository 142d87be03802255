/** The section `ollama` as the rest of the program reads it. */

import type { ConfigValues } from "./schema.ts"

/** Where and how Ollama's clients are served. */
export type OllamaConfig = {
  readonly enabled: boolean
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly version: string
  readonly isVisionHidden: boolean
  /** Origins of further pages, with `*` for any text; lower case. */
  readonly origins: readonly string[]
}

/** Turns the checked values into an {@link OllamaConfig}. */
export function makeOllamaConfig(values: ConfigValues["ollama"]): OllamaConfig {
  const { enabled, host, port, version, origins } = values
  return {
    enabled,
    host,
    port,
    version,
    isVisionHidden: values["disable-vision"],
    origins: origins.toLowerCase().split(",").filter(Boolean),
  }
}
