/** Reads what the sign-in page sends back, be it the redirect itself or what somebody pasted. */

/** What came back. A bare code carries no state: only its own user can have typed it. */
export type Callback =
  | { readonly type: "code"; readonly code: string; readonly state: string | undefined }
  | { readonly type: "bare-code"; readonly code: string }
  | {
      readonly type: "denied"
      readonly error: string
      readonly description: string
      readonly state: string | undefined
    }
  /** The address of the sign-in page itself, from before anybody signed in. */
  | { readonly type: "sign-in-page" }
  | { readonly type: "unreadable" }

/** Reads the whole address, its query alone, `code#state`, or the code alone; white space around it is ignored. */
export function parseCallback(text: string): Callback {
  const pasted = text.trim()
  if (/:\/\/|[?&=]/.test(pasted)) return readQuery(pasted)
  const [code = "", state, ...more] = pasted.split("#")
  if (!/^[\w.~+/-]+$/.test(code) || more.length > 0) return { type: "unreadable" }
  return state === undefined || state === "" ? { type: "bare-code", code } : { type: "code", code, state }
}

function readQuery(address: string): Callback {
  const start = address.indexOf("?")
  const [query = ""] = address.slice(start + 1).split("#")
  const params = new URLSearchParams(query)
  const textAt = (name: string) => params.get(name)?.trim() || undefined
  const state = textAt("state")
  const error = textAt("error")
  if (error !== undefined) return { type: "denied", error, description: textAt("error_description") ?? "", state }
  const code = textAt("code")
  if (code !== undefined) return { type: "code", code, state }
  return params.has("code_challenge") ? { type: "sign-in-page" } : { type: "unreadable" }
}
