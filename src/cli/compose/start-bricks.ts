/** Opens the store, builds the bricks over it and loads the accounts; what a gateway and a command begin with. */

import type { KeySlots } from "#accounts/secrets/key-slots.ts"
import { makeTenure, type Tenure } from "#cli/takeover/tenure.ts"

import { type BuiltEgress, buildEgress } from "./build-egress.ts"
import { type Bricks, type LayBricksParts, layBricks } from "./lay-bricks.ts"
import { type OpenedStore, openStore } from "./open-store.ts"
import type { UndoList } from "./undo-list.ts"

/** What a start needs. */
export type StartBricksParts = Omit<LayBricksParts, "egress" | "opened" | "tenure"> & {
  readonly slots: KeySlots
  /** Default: of a process that stays what it is. */
  readonly tenure?: Tenure
  /** Called when nothing has been read yet; the default begins to refresh at once. */
  readonly beforeStart?: (bricks: Bricks) => void
}

/** Bricks at work. */
export type StartedBricks = Bricks & { readonly opened: OpenedStore; readonly egress: BuiltEgress }

/** Starts them; whatever was opened is closed by `undo`, also after a rejection. */
export async function startBricks(parts: StartBricksParts, undo: UndoList): Promise<StartedBricks> {
  const config = parts.config()
  const egress = buildEgress(parts.config, parts.log)
  undo.add(egress.close)
  const opened = await openStore(config.dataDir, parts.slots)
  undo.add(opened.store.close)
  if (opened.sealedNow > 0)
    parts.log.info({ credentials: opened.sealedNow }, "stored credentials are encrypted from now on")
  const bricks = await layBricks({ ...parts, tenure: parts.tenure ?? makeTenure(), egress, opened })
  undo.add(bricks.journal.close)
  undo.add(bricks.stopTicking)
  undo.add(bricks.cookies.close)
  undo.add(bricks.keys.keeper.close)
  undo.add(() => saveBlocks(bricks))
  undo.add(bricks.accounts.close)
  undo.add(bricks.built.sync.stop)
  parts.beforeStart?.(bricks)
  await bricks.accounts.start()
  bricks.built.keeper.restore()
  bricks.proxies.settle()
  return { ...bricks, opened, egress }
}

/** Writes the accounts' blocks down. A store that is busy or full must not take the gateway down: the next round tries again. */
export function saveBlocks({ built, reportFailure, tenure }: Pick<Bricks, "built" | "reportFailure" | "tenure">): void {
  // They are another process's by now.
  if (tenure.phase() !== "ours") return
  try {
    built.keeper.save()
  } catch (cause) {
    reportFailure("saving the accounts' blocks", cause)
  }
}
