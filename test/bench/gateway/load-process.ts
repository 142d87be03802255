/** The load generator, in a process of its own: opens connections as its parent orders and reports what came back. */

import { openConnection } from "./load-connection.ts"
import { type LoadOrder, type LoadPlan, type LoadReport, spreadOf, type WindowReport } from "./load-plan.ts"

const LAG_EVERY_MS = 5

type Running = {
  readonly plan: LoadPlan
  isWindowOpen: boolean
  isFinishing: boolean
  windowStartMs: number
  events: number
  windowAnswers: number
  bytes: number
  firstEvents: number[]
  deliveries: number[]
  probes: number[]
  lags: number[]
  /** Connections whose answer has begun. */
  begun: number
  alive: number
  answers: number
  failures: number
  firstFailure: string
  started: number
  readonly idle: PromiseWithResolvers<void>
}

let names = 0
const nextName = () => names++

async function start(plan: LoadPlan): Promise<Running> {
  const run: Running = {
    plan,
    isWindowOpen: false,
    isFinishing: false,
    windowStartMs: 0,
    events: 0,
    windowAnswers: 0,
    bytes: 0,
    firstEvents: [],
    deliveries: [],
    probes: [],
    lags: [],
    begun: 0,
    alive: 0,
    answers: 0,
    failures: 0,
    firstFailure: "",
    started: 0,
    idle: Promise.withResolvers(),
  }
  const begunAtMs = performance.now()
  while (run.started < plan.connections) {
    const passed = plan.rampMs === 0 ? 1 : (performance.now() - begunAtMs) / plan.rampMs
    const wanted = Math.min(plan.connections, Math.ceil(passed * plan.connections))
    while (run.started < wanted) openOne(run)
    await Bun.sleep(2)
  }
  return run
}

function openOne(run: Running): void {
  const request = run.plan.requests[run.started % run.plan.requests.length]
  if (request === undefined) throw new Error("a load without requests")
  run.started += 1
  run.alive += 1
  const fail = (failure: string) => {
    run.failures += 1
    if (run.firstFailure === "") run.firstFailure = failure
  }
  let hasBegun = false
  const leave = () => {
    run.alive -= 1
    if (run.alive === 0) run.idle.resolve()
  }
  const ears = {
    firstEvent: (ms: number) => {
      if (!hasBegun) run.begun += 1
      hasBegun = true
      if (run.isWindowOpen || !run.plan.repeats) run.firstEvents.push(ms)
    },
    event: (ms: number | undefined) => {
      if (!run.isWindowOpen) return
      run.events += 1
      if (ms !== undefined) run.deliveries.push(ms)
    },
    bytes: (count: number) => {
      if (run.isWindowOpen) run.bytes += count
    },
    answered: (failure: string | undefined) => {
      run.answers += 1
      if (run.isWindowOpen) run.windowAnswers += 1
      if (failure !== undefined) fail(failure)
      if (run.plan.repeats && !run.isFinishing) return request
      leave()
      return undefined
    },
    lost: (failure: string) => {
      fail(failure)
      leave()
    },
  }
  openConnection(run.plan.port, request, { ears, nextName }).catch((cause: unknown) => ears.lost(String(cause)))
}

/** Sends probes one after the other until the window closes. */
function startProbes(run: Running): void {
  const { probe, port } = run.plan
  if (probe === undefined) return
  const askAgain = () => {
    if (run.isWindowOpen) setTimeout(askOnce, probe.everyMs)
  }
  const askOnce = () => {
    const ears = {
      firstEvent: (ms: number) => {
        run.probes.push(ms)
      },
      event: () => {},
      bytes: () => {},
      answered: (failure: string | undefined) => {
        if (failure !== undefined) ears.lost(failure)
        else askAgain()
        return undefined
      },
      lost: (failure: string) => {
        run.failures += 1
        if (run.firstFailure === "") run.firstFailure = failure
        askAgain()
      },
    }
    openConnection(port, probe.request, { ears, nextName }).catch((cause: unknown) => ears.lost(String(cause)))
  }
  askOnce()
}

function startLagWatch(run: Running): void {
  let dueMs = performance.now() + LAG_EVERY_MS
  const timer = setInterval(() => {
    const nowMs = performance.now()
    run.lags.push(Math.max(0, nowMs - dueMs))
    dueMs = nowMs + LAG_EVERY_MS
    if (!run.isWindowOpen) clearInterval(timer)
  }, LAG_EVERY_MS)
}

function openWindow(run: Running): void {
  run.isWindowOpen = true
  run.windowStartMs = performance.now()
  startProbes(run)
  startLagWatch(run)
}

function closeWindow(run: Running): WindowReport {
  run.isWindowOpen = false
  return {
    seconds: (performance.now() - run.windowStartMs) / 1000,
    events: run.events,
    answers: run.windowAnswers,
    bytes: run.bytes,
    firstEvent: spreadOf(run.firstEvents),
    delivery: spreadOf(run.deliveries),
    probe: spreadOf(run.probes),
    ownLag: spreadOf(run.lags),
    streaming: run.begun - (run.plan.repeats ? 0 : run.answers),
  }
}

async function finish(run: Running): Promise<LoadReport> {
  run.isFinishing = true
  await run.idle.promise
  const { answers, failures, firstFailure } = run
  return { answers, failures, firstFailure }
}

let running: Running | undefined

async function obey(order: LoadOrder): Promise<unknown> {
  if (order.do === "start") {
    running = await start(order.plan)
    return {}
  }
  if (running === undefined) throw new Error("nothing has been started")
  if (order.do === "open-window") return openWindow(running)
  if (order.do === "close-window") return closeWindow(running)
  return await finish(running)
}

process.on("message", (order: LoadOrder) => {
  obey(order).then(
    result => process.send?.({ result: result ?? {} }),
    (cause: unknown) => process.send?.({ failure: String(cause) }),
  )
})
process.on("disconnect", () => process.exit(0))
