/** Replayed reasoning and compaction: it must be whole and sealed for the account that sends it. */

import { arrayAt, stringAt } from "#core/json.ts"
import { errorRefusal, type Refusal } from "#simulator/refusal.ts"
import { isSealedFor } from "#simulator/seal.ts"

import { notStoredRefusal } from "./check-item-ids.ts"
import type { Check, CheckedCall } from "./checked-call.ts"
import { indexedItems } from "./indexed-items.ts"

/** The checks, in order. */
export const reasoningChecks: readonly Check[] = [checkRawContent, checkEncryptedContent]

function checkRawContent(call: CheckedCall): Refusal | undefined {
  for (const { index, type, item } of indexedItems(call.body)) {
    const length = type === "reasoning" ? (arrayAt(item, "content") ?? []).length : 0
    if (length === 0) continue
    const param = `input[${index}].content`
    const message = `Invalid '${param}': array too long. Expected an array with maximum length 0, but got an array with length ${length} instead.`
    return errorRefusal({ message, param, code: "array_above_max_length" })
  }
  return undefined
}

function checkEncryptedContent(call: CheckedCall): Refusal | undefined {
  for (const { index, type, item } of indexedItems(call.body)) {
    if (!isSealedType(type)) continue
    const blob = stringAt(item, "encrypted_content")
    if (blob === undefined) return missingBlob(index, stringAt(item, "id"))
    if (!isSealedFor(call.account, blob)) return unverifiedBlob(blob)
  }
  return undefined
}

function isSealedType(type: string): boolean {
  return type === "reasoning" || type === "compaction" || type === "compaction_summary" || type === "context_compaction"
}

function missingBlob(index: number, id: string | undefined): Refusal {
  if (id !== undefined) return notStoredRefusal(id)
  const param = `input[${index}].encrypted_content`
  return errorRefusal({ message: `Missing required parameter: '${param}'.`, param, code: "missing_required_parameter" })
}

function unverifiedBlob(blob: string): Refusal {
  const short = `${blob.slice(0, 4)}...${blob.slice(-4)}`
  const message = `The encrypted content ${short} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`
  return errorRefusal({ message, code: "invalid_encrypted_content" })
}
