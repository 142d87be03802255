/** The words of the conformance table: what a client is asked to do, what its user ends up with, and what a cell is. */

import type { JsonObject } from "#core/json.ts"
import type { Script } from "#simulator/scripts/scripts.ts"

import type { SimulatedGateway } from "../../support/simulated-gateway.ts"

/** What a client is asked to do. */
export type Task = {
  readonly action: "ask" | "count" | "models" | "draw"
  /** What its user says, one after the other in one conversation. */
  readonly prompts: readonly string[]
  /** Libraries can be asked for a whole answer; command line clients always stream. */
  readonly stream?: boolean
  /** A tool of the user's own, beside those a client brings. */
  readonly tool?: { readonly name: string; readonly kind: "function" | "custom" | "mcp" }
  /** A picture goes with the first prompt. */
  readonly image?: true
  /** The answer has to fit a schema: an object of `city` and `population`. */
  readonly schema?: true
  /** So many earlier exchanges; libraries only. */
  readonly history?: number
  /** Thinking is switched on, in the client's own words. */
  readonly think?: true
}

/** What the user of a client ends up with. */
export type Outcome = {
  readonly text: string
  /** One entry for each tool that ran on the user's machine. */
  readonly ran: readonly string[]
  /** What the user is told went wrong; absent when nothing is. */
  readonly error?: string
  readonly usage?: { readonly inputTokens?: number; readonly outputTokens?: number }
  /** Lists, counts and pictures that the task asked for. */
  readonly facts: JsonObject
  /** It was still busy when its time was up. */
  readonly isLate?: true
}

/** Where one cell happens. */
export type Place = {
  readonly gateway: SimulatedGateway
  /** Where the client finds it. */
  readonly origin: string
  /** A proxy that refuses and remembers. */
  readonly proxy: string
  readonly limitMs: number
}

/** How a client's tools look, so that an answer can call them. */
export type ToolFacts = {
  /** The prompt that makes one round with it. */
  readonly prompt: string
  /** Its name upstream, and complete arguments. */
  readonly name: string
  readonly arguments: string
  /** What its user reads of the tool's work in the end. */
  readonly result: string
}

/** One column of the table: a client with one of its protocols. */
export type Client = {
  readonly id: string
  readonly title: string
  /** The npm package whose version stands in the table. */
  readonly package: string
  readonly protocol: string
  readonly kind: "program" | "library"
  readonly model: string
  readonly tool: ToolFacts
  /** Rows this client cannot have, with the reason. */
  readonly without: Readonly<Partial<Record<string, string>>>
  /** It looks for a port of its own kind. */
  readonly door?: "ollama"
  readonly run: (task: Task, place: Place) => Promise<Outcome>
}

/** What upstream saw of one turn. */
export type Turn = { readonly account: string; readonly status: number; readonly body: JsonObject }

/** Everything a row judges by. */
export type Evidence = {
  readonly outcome: Outcome
  readonly turns: readonly Turn[]
  readonly client: Client
  readonly place: Place
}

/** How a row is played with one client. */
export type Play = {
  readonly task: Task
  readonly scripts?: readonly Script[]
  /** Of the gateway; a fresh one serves every cell. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly accounts?: number
  /** When waiting is known to be for ever. */
  readonly limitMs?: number
  /** Goes on beside the client, for what no script can say. Stops at `signal`. */
  readonly beside?: (place: Place, signal: AbortSignal) => Promise<void>
  /** How many turns may go upstream: exactly these. */
  readonly turns: readonly number[]
  /** Complaints in plain words; none = the cell is green. */
  readonly judge: (evidence: Evidence) => readonly string[] | Promise<readonly string[]>
}

/** One row of the table. */
export type Row = {
  readonly id: string
  readonly title: string
  readonly group: "scenario" | "fault"
  readonly play: (client: Client) => Play
}

/** What became of a cell. `said` is what the user ended up with, in a word or two. */
export type Result = {
  readonly client: string
  readonly row: string
  readonly verdict: "holds" | "fails" | "cannot"
  readonly said: string
  readonly turns?: number
  readonly elapsedMs?: number
  /** Hosts it tried to reach, and could not. */
  readonly strayed?: readonly string[]
  /** For whoever mends it; not in the page. */
  readonly detail?: string
}
