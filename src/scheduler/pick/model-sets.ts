/** Numbers sets of model names, so that equal sets compare as integers. */

/** Returns the same number for sets with the same members, -1 for an unknown set. */
export type NumberOfModels = (models: ReadonlySet<string> | undefined) => number

/** Makes the numbering. It remembers every distinct list it has seen; upstreams have few. */
export function makeModelSets(): NumberOfModels {
  const byObject = new WeakMap<ReadonlySet<string>, number>()
  const byText = new Map<string, number>()
  return models => {
    if (models === undefined) return -1
    const known = byObject.get(models)
    if (known !== undefined) return known
    const text = JSON.stringify([...models].sort())
    const number = byText.get(text) ?? byText.size
    byText.set(text, number)
    byObject.set(models, number)
    return number
  }
}
