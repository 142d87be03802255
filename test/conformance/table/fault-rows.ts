/** The faults of the table: what goes wrong upstream, and what the client's user must end up with all the same. */

import type { Script } from "#simulator/scripts/scripts.ts"

import type { Client, Evidence, Play, Row } from "./cell.ts"
import { answered, halfCalls, told, wholeOrTold } from "./judges.ts"
import { ANSWER, ask, toolTask } from "./rows.ts"

const PROMPT = "Say marmalade"

/** Long enough that a cut after some events leaves a part of it. */
const LONG_TEXT = `It begins here ${"and goes on ".repeat(20)}and ends here.`

/** Ten times as fast as life: forty seconds of silence, and a comment every fifteen. */
const SLOW_MS = 4000
const SCALED = { "client-keepalive": 1.5 }

/** Longer than any client needs to give up, on a slow machine as well. */
const PATIENCE_MS = 60_000

/** No client may ask for ever: its own retries, each of which may cost a turn an account. */
const MOST_TURNS = 12

/** Accounts enough that none has to rest when no other is tried for it. */
const MANY_ACCOUNTS = 16

const UP_TO = (most: number) => Array.from({ length: most }, (_, index) => index + 1)

/** A refusal of the first account: another one answers, and nobody notices. */
function unseen(id: string, title: string, script: Script): Row {
  return {
    id,
    title,
    group: "fault",
    play: () => ({
      task: ask(PROMPT),
      scripts: [{ ...script, times: 1 }],
      turns: [2],
      judge: evidence => answered(evidence, ANSWER),
    }),
  }
}

/** The same when nobody else can answer: what the client makes of the refusal. */
function passedOn(id: string, title: string, script: Script): Row {
  return {
    id: `${id}-alone`,
    title: `${title}, passed on`,
    group: "fault",
    play: () => ({
      task: ask(PROMPT),
      scripts: [{ ...script, times: 1 }],
      settings: { "max-retry": 0 },
      accounts: MANY_ACCOUNTS,
      turns: [1, 2],
      judge: evidence => wholeOrTold(evidence, ANSWER),
    }),
  }
}

const REFUSALS = [
  ["429-after", "429 with retry-after", { scenario: "burst", settings: { retryAfterSec: 1 } }],
  ["429-bare", "429 without retry-after", { scenario: "burst" }],
  ["500", "500", { scenario: "server-error" }],
  ["503", "503", { scenario: "overloaded" }],
  ["overload-200", "Overload inside a 200", { scenario: "overload-in-stream" }],
  ["cut-before", "Cut before output", { scenario: "dead" }],
] as const satisfies readonly (readonly [string, string, Script])[]

/** A text that breaks off: the rest is asked for again, or the user is told; a part is never all there is. */
function cutText(id: string, title: string, cut: "reset" | "end"): Row {
  const settings = { text: LONG_TEXT, cut, cutAfterEvents: 9 }
  return {
    id,
    title,
    group: "fault",
    play: () => ({
      task: ask(PROMPT),
      scripts: [{ scenario: "text", settings, times: 1 }],
      turns: UP_TO(MOST_TURNS),
      judge: evidence => wholeOrTold(evidence, ANSWER),
    }),
  }
}

/** A call that breaks off in its arguments: it must not run, and the user gets an answer or is told. */
function cutCall(id: string, title: string, cut: "reset" | "end"): Row {
  return {
    id,
    title,
    group: "fault",
    play: client => ({
      task: toolTask(client),
      scripts: [{ scenario: "call", settings: cutSettings(client, cut), times: 1 }],
      turns: UP_TO(MOST_TURNS),
      judge: evidence => [
        ...halfCalls(evidence.outcome, client.tool.arguments, client.kind),
        ...wholeOrTold(evidence, client.tool.result),
        ...ranOnce(evidence),
      ],
    }),
  }
}

function cutSettings(client: Client, cut: "reset" | "end") {
  return { tool: client.tool.name, arguments: client.tool.arguments, cut, cutAfterEvents: 6 }
}

/** The call that was cut does not count: at most the second one has run. */
function ranOnce({ outcome }: Evidence): readonly string[] {
  return outcome.ran.length <= 1 ? [] : [`${outcome.ran.length} tools ran`]
}

const slow: Row = {
  id: "slow",
  title: "Slow first token",
  group: "fault",
  play: () => quiet({ scenario: "slow-headers", settings: { headersDelayMs: SLOW_MS } }),
}

const silence: Row = {
  id: "silence",
  title: "Silence with keep-alive",
  group: "fault",
  play: () => quiet({ scenario: "keep-alive-comments", settings: { firstTokenDelayMs: SLOW_MS } }),
}

function quiet(script: Script): Play {
  return {
    task: ask(PROMPT),
    scripts: [{ ...script, times: 1 }],
    settings: SCALED,
    turns: [1],
    judge: evidence => answered(evidence, ANSWER),
  }
}

const overflow: Row = {
  id: "overflow",
  title: "Context overflow",
  group: "fault",
  play: () => ({
    task: ask(PROMPT),
    scripts: [{ scenario: "context-length" }],
    // One for the question, and one for a client that sums the conversation up first.
    turns: [1, 2],
    judge: evidence => told(evidence, /context|too long|exceed|too large/i),
  }),
}

const exhausted: Row = {
  id: "exhausted",
  title: "All accounts exhausted",
  group: "fault",
  play: () => ({
    task: ask(PROMPT),
    scripts: [{ scenario: "usage-limit", settings: { resetsInSec: 18_000 } }],
    // Some clients sit the quota out without a word; five hours of it prove nothing more.
    limitMs: PATIENCE_MS,
    turns: [2],
    judge: evidence => told(evidence, /limit|quota|exhaust|429|usage/i),
  }),
}

/** In the order of the page. */
export const FAULT_ROWS: readonly Row[] = [
  ...REFUSALS.map(([id, title, script]) => unseen(id, title, script)),
  ...REFUSALS.map(([id, title, script]) => passedOn(id, title, script)),
  cutText("cut-text", "Cut in text", "reset"),
  cutText("end-text", "Text without an end", "end"),
  cutCall("cut-call", "Cut in tool arguments", "reset"),
  cutCall("end-call", "Tool call without an end", "end"),
  slow,
  silence,
  overflow,
  exhausted,
]
