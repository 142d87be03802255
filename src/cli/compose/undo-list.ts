/** What has to be undone, in the opposite order of its doing. */

type Step = () => void | Promise<void>

/** The list. */
export type UndoList = {
  readonly add: (step: Step) => void
  /** Runs every step, the last one first. A step that fails stops none of the others; the first failure is rethrown. */
  readonly run: () => Promise<void>
}

/** Makes an empty list. */
export function makeUndoList(): UndoList {
  const steps: Step[] = []
  return {
    add: step => {
      steps.push(step)
    },
    run: async () => {
      const failures: unknown[] = []
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        try {
          await step()
        } catch (cause) {
          failures.push(cause)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
  }
}
