/** How Ollama's port is doing, in the form that operators see. */

import type { OllamaConfig } from "#config/ollama-config.ts"

/** The answer of `GET /api/admin/ollama-status`. Members are null where there is nothing to say. */
export type OllamaStatus = {
  readonly enabled: boolean
  readonly running: boolean
  readonly host: string
  /** The one that is served on, or the one that is wanted. */
  readonly port: number
  readonly url: string | null
  readonly version: string
  readonly disable_vision: boolean
  /** When it was opened, RFC 3339. */
  readonly since: string | null
  /** Why it is not open although it should be. */
  readonly error: string | null
}

/** The status of a port that is not open. */
export function closedStatus({ enabled, host, port, version, isVisionHidden }: OllamaConfig): OllamaStatus {
  return {
    enabled,
    running: false,
    host,
    port,
    url: null,
    version,
    disable_vision: isVisionHidden,
    since: null,
    error: null,
  }
}
