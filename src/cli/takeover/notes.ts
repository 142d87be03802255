/** What a gateway that is being replaced still learns, told to the one that has its data folder by now. */

import type { AccountId } from "#core/ids.ts"
import type { Outcome } from "#core/outcome.ts"
import type { QuotaSnapshot } from "#core/upstream.ts"
import type { KeptBinding } from "#gateway/affinity/bindings.ts"
import type { KeyBill } from "#gateway/keys/key-bill.ts"
import type { ShelvedResponse } from "#gateway/memory/response-shelf.ts"
import type { AttemptReport } from "#scheduler/types.ts"

/** One thing that was learned. All of it survives JSON; errors are written by `encodeMessage`. */
export type Note =
  /** A request has ended. Its row belongs into the log. */
  | { readonly type: "outcome"; readonly outcome: Outcome }
  /** A stored key has used something. */
  | { readonly type: "bill"; readonly bill: KeyBill }
  /** Which account conversations, turn states and encrypted texts belong to. */
  | { readonly type: "bindings"; readonly kind: string; readonly rows: readonly KeptBinding[] }
  | {
      readonly type: "quota"
      readonly account: AccountId
      readonly snapshot: QuotaSnapshot
      readonly askedAtMs: number
    }
  /** An attempt has failed in a way that says something about its account. */
  | { readonly type: "report"; readonly account: AccountId; readonly report: AttemptReport }
  | {
      readonly type: "cookies"
      readonly account: AccountId
      readonly url: string
      readonly setCookies: readonly string[]
    }
  /** An answer that its client may continue by its id. */
  | { readonly type: "response"; readonly response: ShelvedResponse }
