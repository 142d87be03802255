/** The account in the variables `ACCESS_TOKEN` and `ACCOUNT_ID`, as dvcrn/codex-proxy names them. */

import { compact } from "#accounts/formats/compact.ts"
import { parseAccountFile } from "#accounts/formats/parse-account-file.ts"
import { shapeOfToken } from "#accounts/formats/token-shape.ts"
import { GatewayError } from "#core/errors.ts"

import type { NamedSource } from "./named-source.ts"

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

const TOKEN_NAME = "ACCESS_TOKEN"
const WORKSPACE_NAME = "ACCOUNT_ID"

function refuse(reason: string, hint: string): GatewayError {
  return new GatewayError("internal", `creds-store is env, and ${TOKEN_NAME} ${reason}.`, { hint })
}

/** Writes the variables as the text of an account file. Throws `internal` when no account can be made of them. */
function writeText(env: Environment): string {
  const token = env[TOKEN_NAME]?.trim() ?? ""
  if (token === "") {
    throw refuse(
      "is not set",
      `Set ${TOKEN_NAME} to an access token or an API key, and ${WORKSPACE_NAME} to the workspace.`,
    )
  }
  const shape = shapeOfToken(token)
  if (shape === "refresh-token" || shape === "encrypted") {
    throw refuse(
      "holds another kind of token",
      "It needs an access token. A refresh token is renewed with every use and must lie in a file: `creds-store: xdg`.",
    )
  }
  const accountId = env[WORKSPACE_NAME]?.trim() || undefined
  const secret =
    shape === "api-key" ? { api_key: token } : { access_token: token, ...compact({ account_id: accountId }) }
  return JSON.stringify({ label: "environment", ...secret })
}

/**
 * Makes the source. A variable cannot be renewed here, so its account serves until its token expires. Throws `internal`
 * when the variable is missing or holds something else.
 */
export function environmentSource(env: Environment): NamedSource {
  const text = writeText(env)
  const [fault] = parseAccountFile(text).faults
  if (fault !== undefined) throw refuse(`cannot be used: ${fault.reason}`, "Set it to a ChatGPT access token.")
  return {
    path: `variable ${TOKEN_NAME}`,
    terms: { isBorrowed: true },
    place: { type: "text", read: async () => text },
    hint: () => `Set ${TOKEN_NAME}.`,
  }
}
