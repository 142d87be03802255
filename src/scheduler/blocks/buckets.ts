/** Which models a named quota counts: learned from the refusals that name it, valid for the whole pool. */

import type { LiveBlock } from "./blocks.ts"

/** What is known about named quotas. */
export type Buckets = {
  /** Returns true when this was news. */
  readonly learn: (bucket: string, model: string) => boolean
  /** Single models that a block stops; none for blocks of everything. */
  readonly modelsOf: (block: LiveBlock) => Iterable<string>
  /** True when the block concerns requests for the model. */
  readonly concerns: (block: LiveBlock, model: string) => boolean
}

const NO_MODELS: ReadonlySet<string> = new Set()

/** Makes an empty table. */
export function makeBuckets(): Buckets {
  const models = new Map<string, Set<string>>()

  function modelsOf({ scope }: LiveBlock): ReadonlySet<string> {
    if (scope.type === "model") return new Set([scope.model])
    return scope.type === "bucket" ? (models.get(scope.bucket) ?? NO_MODELS) : NO_MODELS
  }

  return {
    learn: (bucket, model) => {
      const known = models.get(bucket) ?? new Set()
      if (known.has(model)) return false
      models.set(bucket, known.add(model))
      return true
    },
    modelsOf,
    concerns: (block, model) =>
      block.scope.type === "account" || block.scope.type === "egress" || modelsOf(block).has(model),
  }
}
