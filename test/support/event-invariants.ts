/** The five invariants of neutral events. */

import type { StreamEvent, Usage } from "#core/events.ts"

/** Returns what is wrong with the events; empty when nothing is. */
export function brokenEventInvariants(events: readonly StreamEvent[]): readonly string[] {
  const wrong: string[] = []
  if (events[0]?.type !== "response-start") wrong.push("the first event is not response-start")
  if (events.filter(event => event.type === "response-start").length !== 1) wrong.push("more than one response-start")
  const ends = events.filter(event => event.type === "finish" || event.type === "error")
  if (ends.length !== 1 || events.at(-1) !== ends[0]) wrong.push("not exactly one finish or error, or events after it")
  wrong.push(...brokenBlocks(events))
  for (const event of events) if (event.type === "usage") wrong.push(...brokenUsage(event.usage))
  return wrong
}

function brokenBlocks(events: readonly StreamEvent[]): readonly string[] {
  const wrong: string[] = []
  const open = new Set<number>()
  let highest = -1
  for (const event of events.filter(event => "block" in event)) {
    const { type, block } = event
    const isOpening = opensBlock(type)
    if (isOpening && block <= highest) wrong.push(`block ${block} starts after ${highest}`)
    if (!isOpening && !open.has(block)) wrong.push(`${type} names block ${block}, which is not open`)
    highest = Math.max(highest, block)
    if (type.endsWith("-start")) open.add(block)
    if (type.endsWith("-end")) open.delete(block)
  }
  const isWhole = events.at(-1)?.type === "finish"
  return isWhole && open.size > 0 ? [...wrong, `blocks left open: ${[...open].join()}`] : wrong
}

function opensBlock(type: StreamEvent["type"]): boolean {
  return type.endsWith("-start") || type === "image" || type === "native-item"
}

function brokenUsage(usage: Usage): readonly string[] {
  const wrong: string[] = []
  if (usage.inputCachedTokens > usage.inputTokens) wrong.push("more cached than input tokens")
  if (usage.reasoningTokens > usage.outputTokens) wrong.push("more reasoning than output tokens")
  return wrong
}
