/** The clients that can be set up and checked. */

import { CLAUDE } from "./claude.ts"
import type { Client } from "./client.ts"
import { CODEX } from "./codex.ts"
import { CONTINUE } from "./continue.ts"
import { ENVIRONMENT_CLIENTS } from "./environment.ts"
import { GEMINI } from "./gemini.ts"
import { OPENCODE } from "./opencode.ts"

/** All of them, in the order in which they are shown. */
export const CLIENTS: readonly Client[] = [CODEX, CLAUDE, OPENCODE, GEMINI, CONTINUE, ...ENVIRONMENT_CLIENTS]
