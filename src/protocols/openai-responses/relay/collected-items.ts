/** Collects finished items: the terminal response of this upstream usually comes with an empty `output`. */

/** A finished item as byte text; `index` is undefined when its event had none. */
type CollectedItem = { readonly index: number | undefined; readonly text: string }

/** The items of one answer. */
export type CollectedItems = {
  readonly add: (index: number | undefined, text: string) => void
  readonly count: () => number
  /** The items as the text of an array: by output index, those without one last, in order of arrival. */
  readonly listText: () => string
}

/** Makes an empty collection. */
export function makeCollectedItems(): CollectedItems {
  const items: CollectedItem[] = []
  return {
    add: (index, text) => items.push({ index, text }),
    count: () => items.length,
    listText: () => {
      const place = ({ index }: CollectedItem) => index ?? Number.MAX_SAFE_INTEGER
      // Array.prototype.sort is stable, which keeps the order of arrival among equals.
      const sorted = [...items].sort((left, right) => place(left) - place(right))
      return `[${sorted.map(item => item.text).join(",")}]`
    },
  }
}
