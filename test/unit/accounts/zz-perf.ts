import { makeAccountDirectory } from "#accounts/account-directory.ts"
import { makeCredentialVault } from "#accounts/credential-vault.ts"
import { systemClock, systemTimers } from "#core/clock.ts"
import { makeStore } from "#store/store.ts"

import { makeTestDirectory, writeFlatFile } from "./token-endpoint.ts"

const d = makeTestDirectory()
for (let i = 0; i < 1000; i++) writeFlatFile(d.path, `user${i}`)
const store = makeStore({ path: `${d.path}/data/core.db`, pid: 1 })
const vault = makeCredentialVault({ rows: store, clock: systemClock })
for (let r = 0; r < 40; r++) {
  const dir = makeAccountDirectory({ path: d.path, timers: systemTimers, memory: vault, emit: () => {} })
  const t = performance.now()
  await dir.start()
  const a = performance.now()
  await dir.rescan()
  const b = performance.now()
  console.log("load", (a - t).toFixed(1), "rescan", (b - a).toFixed(1), dir.accounts().length)
  dir.close()
}
store.close()
d.remove()
