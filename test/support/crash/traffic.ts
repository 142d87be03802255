/** Clients and an operator of a gateway that keeps dying: they go on asking and keep what refusals say. */

import { arrayAt, isJsonObject, parseJsonObject, stringAt } from "#core/json.ts"

import type { Random } from "./random.ts"

/** The traffic of one run. */
export type Traffic = {
  readonly served: () => number
  /** Refusals by the code in their body. */
  readonly refused: () => Readonly<Record<string, number>>
  /** Every body that was no plain success, for the search for secrets. */
  readonly bodies: () => readonly string[]
  /** Stops asking and waits for the last answers. */
  readonly stop: () => Promise<void>
}

/** Whom to ask. */
export type TrafficParts = {
  readonly url: string
  readonly key: string
  /** Simultaneous clients. */
  readonly clients: number
  /** Decides which accounts are refreshed; their kinds take turns only by chance. */
  readonly random: Random
}

/** A gateway that is down answers at once, with a refused connection. */
const DOWN_PAUSE_MS = 20

/** Between two requests of one client: as many as it could send would leave the machine no time for anything else. */
const THINK_MS = 20

/** Between two looks of the operator. */
const LOOK_PAUSE_MS = 150
const LIST_PAUSE_MS = 500

/** Orders to refresh an account under way at a time: twice as many as exchanges, so that one is always waiting. */
const ORDERS = 8

/** Starts asking. */
export function startTraffic({ url, key, clients, random }: TrafficParts): Traffic {
  const bodies = new Set<string>()
  const stopped = new AbortController()
  let served = 0
  const refused: Record<string, number> = {}
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" }

  const ask = async (path: string, init: RequestInit): Promise<Response | undefined> => {
    try {
      return await fetch(`${url}${path}`, { ...init, headers, signal: stopped.signal })
    } catch {
      // The gateway was killed, or is being started.
      if (!stopped.signal.aborted) await Bun.sleep(DOWN_PAUSE_MS)
      return undefined
    }
  }
  const textOf = async (response: Response): Promise<string> => {
    try {
      return await response.text()
    } catch (error) {
      // Cut off by a kill.
      return String(error)
    }
  }
  const askModel = async (): Promise<void> => {
    const body = JSON.stringify({ model: "gpt-5.5", input: "crash run", stream: false })
    const response = await ask("/v1/responses", { method: "POST", body })
    if (response === undefined) return
    const text = await textOf(response)
    if (response.status === 200) served += 1
    else {
      const code = /"code":"([^"]+)"/.exec(text)?.[1] ?? `status ${response.status}`
      refused[code] = (refused[code] ?? 0) + 1
      bodies.add(text)
    }
    await Bun.sleep(THINK_MS)
  }
  const look = async (): Promise<void> => {
    for (const path of ["/stats", "/health/ready", "/v1/models"]) {
      const response = await ask(path, {})
      if (response !== undefined) bodies.add(await textOf(response))
    }
    await Bun.sleep(LOOK_PAUSE_MS)
  }
  let ids: readonly string[] = []
  const list = async (): Promise<void> => {
    const response = await ask("/api/admin/accounts", {})
    if (response === undefined) return
    const text = await textOf(response)
    bodies.add(text)
    const accounts = arrayAt(parseJsonObject(text) ?? {}, "accounts") ?? []
    ids = accounts.filter(isJsonObject).flatMap(account => stringAt(account, "id") ?? [])
    await Bun.sleep(LIST_PAUSE_MS)
  }
  const order = async (): Promise<void> => {
    const id = ids[Math.floor(random.between(0, ids.length))]
    if (id === undefined) return Bun.sleep(DOWN_PAUSE_MS)
    // An account that has got its lasting id since the list was made is not found; the next list has it.
    const response = await ask(`/api/admin/accounts/${id}/refresh`, { method: "POST" })
    if (response !== undefined) bodies.add(await textOf(response))
  }
  const again = async (work: () => Promise<void>): Promise<void> => {
    while (!stopped.signal.aborted) await work()
  }
  const orders = Array.from({ length: ORDERS }, () => again(order))
  const running = [...Array.from({ length: clients }, () => again(askModel)), again(look), again(list), ...orders]
  return {
    served: () => served,
    refused: () => ({ ...refused }),
    bodies: () => [...bodies],
    stop: async () => {
      stopped.abort()
      await Promise.all(running)
    },
  }
}
