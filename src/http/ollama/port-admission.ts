/** Who comes through Ollama's port, as far as the gateway is concerned. */

import type { Principal } from "#core/request.ts"
import type { Admission } from "#http/admission.ts"

const PRINCIPAL: Principal = { keyId: "ollama" }

/** Everybody counts as one client, whatever credentials are sent along: this is the key that the port puts in their place. */
export const PORT_ADMISSION: Admission = { needsKey: () => false, admit: () => PRINCIPAL }
