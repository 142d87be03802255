/** The model and the method in an address: `/v1beta/models/{model}:{method}`. */

import { GatewayError } from "#core/errors.ts"
import { unimplemented } from "#protocols/unimplemented.ts"

/** Methods that are served. */
export type GeminiMethod = "generateContent" | "streamGenerateContent" | "countTokens"

/** What an address asks for. */
export type ModelAddress = { readonly model: string; readonly method: GeminiMethod }

const SERVED: ReadonlySet<string> = new Set<GeminiMethod>(["generateContent", "streamGenerateContent", "countTokens"])

/** Known to clients, and served by nobody here. */
const UNSERVED: ReadonlySet<string> = new Set([
  "embedContent",
  "batchEmbedContents",
  "predict",
  "predictLongRunning",
  "batchGenerateContent",
  "asyncBatchEmbedContent",
  "bidiGenerateContent",
])

/** Families of the vendor that no model of ours can stand for. */
const UNSERVED_MODELS = /gemini-.*(embedding|tts|live|veo|imagen)|^(veo|imagen)-/i

/** Reads what follows `/models/`. Throws `not-found` for unknown methods, and says so for known ones that are not served. */
export function readModelAddress(path: string): ModelAddress {
  const decoded = decodedPath(path)
  const colon = decoded.lastIndexOf(":")
  const model = bareModelName(decoded.slice(0, Math.max(0, colon)))
  const method = decoded.slice(colon + 1)
  if (UNSERVED.has(method)) throw unimplemented(`The method '${method}' is not served here.`)
  if (colon === -1 || model === "" || !isServed(method)) {
    throw new GatewayError("not-found", "There is nothing at this address.", {
      code: "unknown_url",
      hint: "Ask for /v1beta/models/{model}:generateContent, :streamGenerateContent or :countTokens.",
    })
  }
  if (UNSERVED_MODELS.test(model)) throw unimplemented("Models of this kind are not served here.")
  return { model, method }
}

/** Returns the id without the collection clients put before it. */
export function bareModelName(name: string): string {
  return name.replace(/^\/+/, "").replace(/^(publishers\/google\/models|tunedModels|models)\//, "")
}

function isServed(method: string): method is GeminiMethod {
  return SERVED.has(method)
}

/** A broken percent sign is left as it was sent: no model has such a name, which is the answer then. */
function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
