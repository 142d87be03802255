/** The body of an import, in whatever way it was sent: JSON, lines, or files of a form. */

import { GatewayError } from "#core/errors.ts"
import type { AccountText } from "#gateway/desk/intake.ts"
import { type BodyLimits, readBodyBytes } from "#http/read-body.ts"

/** What a form may say beside its files. */
export type ImportForm = { readonly sources: readonly AccountText[]; readonly fields: ReadonlyMap<string, string> }

/** Enough for a hundred thousand accounts; more is a mistake in the file's name. */
export const MAX_IMPORT_BYTES = 256 * 1024 * 1024

const NO_FIELDS: ReadonlyMap<string, string> = new Map()

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    // The only way here is text in another encoding.
    return undefined
  }
}

function decode(bytes: Uint8Array): string {
  const text = decodeText(bytes)
  if (text !== undefined) return text
  throw new GatewayError("invalid-request", "The body is not UTF-8 text.", { code: "invalid_encoding" })
}

/** One unreadable file must not hide the results of the others. */
function sourceOf(name: string, bytes: Uint8Array): AccountText {
  const text = decodeText(bytes)
  return text === undefined ? { name, text: "", fault: "is not UTF-8 text; save it as UTF-8" } : { name, text }
}

async function readForm(bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<ImportForm> {
  let form: FormData
  try {
    form = await new Response(bytes, { headers: { "content-type": contentType } }).formData()
  } catch (cause) {
    throw new GatewayError("invalid-request", "The form cannot be read.", { code: "invalid_form", cause })
  }
  const sources: AccountText[] = []
  const fields = new Map<string, string>()
  for (const [name, value] of form) {
    if (typeof value === "string") fields.set(name, value)
    else sources.push(sourceOf(value.name || name, await value.bytes()))
  }
  if (sources.length > 0) return { sources, fields }
  throw new GatewayError("invalid-request", "The form holds no file.", {
    code: "missing_file",
    hint: "Send the account list as a form file, e.g. `curl -F file=@accounts.json`.",
  })
}

/** Reads the body. Throws `request-too-large`, `request-timeout`, or `invalid-request` for what is no text or form. */
export async function readImportBody(
  request: Request,
  limits: Pick<BodyLimits, "timers" | "timeoutMs">,
): Promise<ImportForm> {
  const bytes = await readBodyBytes(request, { ...limits, maxBytes: MAX_IMPORT_BYTES })
  const contentType = request.headers.get("content-type") ?? ""
  if (contentType.startsWith("multipart/form-data")) return readForm(bytes, contentType)
  return { sources: [{ name: "request body", text: decode(bytes) }], fields: NO_FIELDS }
}
