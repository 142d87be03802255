/** Why a sign-in came to nothing, and what to do about it. */

/** A sign-in that ended without an account. Every text is safe to show and holds no secret. */
export type SignInRefusal = {
  readonly type: "refused"
  /** A short word for programs: the service's own code where it gave one. */
  readonly code: string
  readonly message: string
  /** What the operator does next. */
  readonly hint: string
}

/** Makes one; the parts are in the order they are read. */
export function refuse(code: string, message: string, hint: string): SignInRefusal {
  return { type: "refused", code, message, hint }
}

/** Returns a code from outside if it looks like one: anything else is not repeated. */
export function safeCode(code: string | undefined): string | undefined {
  return code !== undefined && /^[\w.-]{1,64}$/.test(code) ? code : undefined
}

/** Reads what the sign-in page reports in place of a code (RFC 6749 §4.1.2.1). */
export function refuseDenied(error: string, description: string): SignInRefusal {
  if (description.includes("missing_codex_entitlement")) {
    return refuse(
      "missing_codex_entitlement",
      "This ChatGPT workspace has not enabled Codex.",
      "Ask the workspace's administrator to enable Codex, or sign in again and choose another workspace.",
    )
  }
  const code = safeCode(error) ?? "unknown"
  if (code === "access_denied") {
    return refuse(code, "The sign-in was declined on the page.", "Start the sign-in again and agree there.")
  }
  return refuse(
    code,
    `The sign-in page reported an error (${code}).`,
    "Start the sign-in again; if it stays so, check `oauth.issuer` and `oauth.client-id`.",
  )
}
