/** Edits while running: what takes effect, what waits, what is refused. */

import { expect, test } from "bun:test"
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { type ConfigStore, makeConfigStore, type ReloadReport } from "#config/store.ts"
import { watchFiles } from "#config/watch.ts"
import { systemTimers, type Timers } from "#core/clock.ts"

import { makeFolder, makeLoader, type TestFolder } from "./inputs.ts"

type Running = {
  readonly store: ConfigStore
  readonly edit: (yaml: string) => void
  /** Plays the watcher: says that something changed. */
  readonly touch: () => void
  /** Lets the quiet time pass. */
  readonly settle: () => void
  readonly waiting: () => number
  readonly reports: ReloadReport[]
  readonly failures: unknown[]
}

async function start(folder: TestFolder, yaml: string): Promise<Running> {
  const file = join(folder.path, "sluice.yaml")
  writeFileSync(file, yaml)
  const loader = makeLoader(folder)
  const first = await loader.load()
  if (first.type === "refused") throw new Error("refused")
  const hand = makeHandTimers()
  const reports: ReloadReport[] = []
  const failures: unknown[] = []
  let touch = () => {}
  const store = makeConfigStore({
    initial: first.loaded,
    loader,
    timers: hand.timers,
    reportFailure: error => failures.push(error),
    watch: onChange => {
      touch = onChange
      return () => {}
    },
  })
  store.subscribe(report => reports.push(report))
  return {
    store,
    edit: text => writeFileSync(file, text),
    touch: () => touch(),
    settle: hand.fire,
    waiting: hand.waiting,
    reports,
    failures,
  }
}

function makeHandTimers() {
  const runs = new Set<() => void>()
  const timers: Pick<Timers, "after"> = {
    after: (_delayMs, run) => {
      runs.add(run)
      return () => runs.delete(run)
    },
  }
  const fire = () => {
    for (const run of [...runs]) {
      runs.delete(run)
      run()
    }
  }
  return { timers, fire, waiting: () => runs.size }
}

test("a live key takes effect, a restart key keeps its old value and is named", async () => {
  using folder = makeFolder()
  const { store, edit, reports } = await start(folder, "max-retry: 1\nworkers: 1\n")
  const before = store.current()
  edit("max-retry: 5\nworkers: 8\nlog-level: debug\n")
  const report = await store.reload()
  expect(report).toMatchObject({ type: "reloaded", changed: ["log-level", "max-retry"], needsRestart: ["workers"] })
  expect(store.current()).toMatchObject({ maxRetry: 5, workers: 1, logLevel: "debug" })
  expect(before.maxRetry).toBe(1)
  expect(reports).toEqual([report])
})

test("a broken edit keeps the configuration and is reported once, and its repair takes effect", async () => {
  using folder = makeFolder()
  const { store, edit, reports } = await start(folder, "max-retry: 1\n")
  edit("max-retry: lots\nlog-level: debug\n")
  expect((await store.reload()).type).toBe("refused")
  await store.reload()
  expect(store.current()).toMatchObject({ maxRetry: 1, logLevel: "info" })
  edit("max-retry: 4\n")
  await store.reload()
  expect(store.current().maxRetry).toBe(4)
  expect(reports.map(report => report.type)).toEqual(["refused", "reloaded"])
})

test("saving without a change tells nobody and keeps the same object", async () => {
  using folder = makeFolder()
  const { store, edit, reports } = await start(folder, "max-retry: 1\n")
  const before = store.current()
  edit("# a comment\nmax-retry: 1\n")
  expect(await store.reload()).toEqual({ type: "unchanged" })
  expect(store.current()).toBe(before)
  expect(store.details().settings.get("max-retry")?.source).toMatchObject({ line: 2 })
  expect(reports).toEqual([])
})

test("removing the last key is refused while the address in force is open, even if the edit closes it", async () => {
  using folder = makeFolder()
  const { store, edit } = await start(folder, "listen: :8080\napi-keys: [sk-one]\n")
  edit("listen: 127.0.0.1:8080\n")
  expect((await store.reload()).type).toBe("refused")
  expect(store.current().apiKeys).toEqual(["sk-one"])
})

test("a file caught empty or gone does not open the door by dropping its keys", async () => {
  using folder = makeFolder()
  const { store, edit, reports } = await start(folder, "api-keys: [sk-one]\n")
  edit("")
  expect((await store.reload()).type).toBe("refused")
  rmSync(join(folder.path, "sluice.yaml"))
  expect((await store.reload()).type).toBe("refused")
  expect(store.current().apiKeys).toEqual(["sk-one"])
  edit("api-keys: [sk-two]\n")
  await store.reload()
  expect(store.current().apiKeys).toEqual(["sk-two"])
  expect(reports.map(report => report.type)).toEqual(["refused", "reloaded"])
})

test("several signs of one edit are read once, after the last of them", async () => {
  using folder = makeFolder()
  const { store, edit, touch, settle, waiting } = await start(folder, "max-retry: 1\n")
  touch()
  edit("max-ret")
  touch()
  edit("max-retry: 9\n")
  touch()
  expect(waiting()).toBe(1)
  const told = new Promise<ReloadReport>(resolve => store.subscribe(resolve))
  settle()
  expect((await told).type).toBe("reloaded")
  expect(store.current().maxRetry).toBe(9)
})

test("readings asked for at the same time happen one after the other", async () => {
  using folder = makeFolder()
  const { store, edit, reports } = await start(folder, "max-retry: 1\n")
  edit("max-retry: 2\n")
  const both = await Promise.all([store.reload(), store.reload()])
  expect(both.map(report => report.type)).toEqual(["reloaded", "unchanged"])
  expect(reports).toHaveLength(1)
})

test("a subscriber that throws is reported", async () => {
  using folder = makeFolder()
  const { store, edit, touch, settle, failures } = await start(folder, "max-retry: 1\n")
  store.subscribe(() => {
    throw new Error("subscriber")
  })
  edit("max-retry: 2\n")
  touch()
  settle()
  await store.reload()
  expect(failures).toEqual([new Error("subscriber")])
})

test("after close nothing is read any more", async () => {
  using folder = makeFolder()
  const { store, touch, waiting, reports } = await start(folder, "max-retry: 1\n")
  touch()
  store.close()
  expect(waiting()).toBe(0)
  expect(reports).toEqual([])
})

for (const way of ["written in place", "renamed over the old one", "made new"] as const) {
  test(`a file ${way} is picked up`, async () => {
    using folder = makeFolder()
    const file = join(folder.path, "sluice.yaml")
    if (way !== "made new") writeFileSync(file, "max-retry: 1\n")
    const loader = makeLoader(folder)
    const first = await loader.load()
    if (first.type === "refused") throw new Error("refused")
    const store = makeConfigStore({
      initial: first.loaded,
      loader,
      timers: systemTimers,
      debounceMs: 5,
      reportFailure: error => {
        throw error
      },
      watch: onChange => watchFiles({ paths: loader.paths, timers: systemTimers }, onChange),
    })
    const told = new Promise<ReloadReport>(resolve => store.subscribe(resolve))
    if (way === "renamed over the old one") {
      writeFileSync(`${file}.new`, "max-retry: 7\n")
      renameSync(`${file}.new`, file)
    } else {
      writeFileSync(file, "max-retry: 7\n")
    }
    // The timers of the store do not hold the process, so something here must.
    const hold = setInterval(() => {}, 1000)
    expect((await told).type).toBe("reloaded")
    clearInterval(hold)
    expect(store.current().maxRetry).toBe(7)
    store.close()
  })
}

test("a file in a folder that cannot be watched yet is found by looking", () => {
  using folder = makeFolder()
  const later = join(folder.path, "later")
  const looks: (() => void)[] = []
  let changes = 0
  const timers: Timers = {
    after: () => () => {},
    every: (_intervalMs, run) => {
      looks.push(run)
      return () => looks.splice(0)
    },
  }
  const stop = watchFiles({ paths: [join(later, "sluice.yaml")], timers }, () => {
    changes++
  })
  mkdirSync(later)
  looks[0]?.()
  expect(changes).toBe(0)
  writeFileSync(join(later, "sluice.yaml"), "max-retry: 1")
  looks[0]?.()
  looks[0]?.()
  expect(changes).toBe(1)
  stop()
  expect(looks).toEqual([])
})
