/** Runs an asynchronous step over a list, a few at a time. */

/** Returns the results in the order of `items`. A step that rejects ends the whole with its error. */
export async function mapLimited<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  step: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = new Array(items.length)
  const entries = items.entries()
  const worker = async () => {
    for (const [index, item] of entries) results[index] = await step(item)
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, items.length)) }, worker))
  return results
}
