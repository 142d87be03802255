/** The line of waiting requests: first come first served within a client key, in turns between keys. */

import type { AccountId } from "#core/ids.ts"

/** One waiting request. */
export type Waiter = {
  readonly keyId: string
  /** Groups waiters that any account serves either all or none of, apart from their exclusions. */
  readonly lane: string
  readonly exclude: ReadonlySet<AccountId>
}

/** The line. Adding and removing are O(1); finding the next looks at each waiting key at most once. */
export type Waiters<T extends Waiter> = {
  readonly add: (waiter: T) => void
  /** False when it was not in line any more. */
  readonly remove: (waiter: T) => boolean
  /**
   * Returns the waiter whose turn it is among those whose lane is served and who do not exclude the account, and takes
   * it out of the line; its key goes to the end of the round.
   */
  readonly takeFor: (account: AccountId, serves: (waiter: T) => boolean) => T | undefined
  /** Everyone in line, in no particular order between keys. */
  readonly all: () => readonly T[]
  readonly size: () => number
  readonly sizeOf: (keyId: string) => number
}

type Node<T> = { readonly waiter: T; readonly order: number; previous: Node<T> | undefined; next: Node<T> | undefined }
type Lane<T> = { head: Node<T> | undefined; tail: Node<T> | undefined }
type KeyLine<T> = { readonly lanes: Map<string, Lane<T>>; size: number }

/** Makes an empty line. */
export function makeWaiters<T extends Waiter>(): Waiters<T> {
  // Maps keep insertion order: deleting and adding a key again moves it to the end of the round.
  const lines = new Map<string, KeyLine<T>>()
  const nodes = new Map<T, Node<T>>()
  let order = 0

  function append(lane: Lane<T>, node: Node<T>): void {
    node.previous = lane.tail
    if (lane.tail === undefined) lane.head = node
    else lane.tail.next = node
    lane.tail = node
  }

  function cut(lane: Lane<T>, node: Node<T>): void {
    if (node.previous === undefined) lane.head = node.next
    else node.previous.next = node.next
    if (node.next === undefined) lane.tail = node.previous
    else node.next.previous = node.previous
  }

  function remove(waiter: T): boolean {
    const node = nodes.get(waiter)
    const line = lines.get(waiter.keyId)
    const lane = line?.lanes.get(waiter.lane)
    if (node === undefined || line === undefined || lane === undefined) return false
    nodes.delete(waiter)
    cut(lane, node)
    line.size -= 1
    if (lane.head === undefined) line.lanes.delete(waiter.lane)
    if (line.size === 0) lines.delete(waiter.keyId)
    return true
  }

  /** Only waiters that exclude the very account are stepped over, and few do. */
  function firstIn(lane: Lane<T>, account: AccountId, serves: (waiter: T) => boolean): Node<T> | undefined {
    if (lane.head === undefined || !serves(lane.head.waiter)) return undefined
    let node: Node<T> | undefined = lane.head
    while (node?.waiter.exclude.has(account)) node = node.next
    return node
  }

  function firstOf(line: KeyLine<T>, account: AccountId, serves: (waiter: T) => boolean): Node<T> | undefined {
    let first: Node<T> | undefined
    for (const lane of line.lanes.values()) {
      const node = firstIn(lane, account, serves)
      if (node !== undefined && (first === undefined || node.order < first.order)) first = node
    }
    return first
  }

  return {
    add: waiter => {
      const line = lines.get(waiter.keyId) ?? { lanes: new Map<string, Lane<T>>(), size: 0 }
      const lane = line.lanes.get(waiter.lane) ?? { head: undefined, tail: undefined }
      const node: Node<T> = { waiter, order, previous: undefined, next: undefined }
      order += 1
      line.size += 1
      append(lane, node)
      line.lanes.set(waiter.lane, lane)
      lines.set(waiter.keyId, line)
      nodes.set(waiter, node)
    },
    remove,
    takeFor: (account, serves) => {
      for (const [keyId, line] of lines) {
        const node = firstOf(line, account, serves)
        if (node === undefined) continue
        remove(node.waiter)
        if (line.size > 0) {
          lines.delete(keyId)
          lines.set(keyId, line)
        }
        return node.waiter
      }
      return undefined
    },
    all: () => [...nodes.keys()],
    size: () => nodes.size,
    sizeOf: keyId => lines.get(keyId)?.size ?? 0,
  }
}
