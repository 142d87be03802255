/** Usage windows and credits of each account: the one state behind headers, usage endpoint, events and refusals. */

import type { Clock } from "#core/clock.ts"
import type { Ids } from "#simulator/ids.ts"

import { makeResetCredits, type ResetCredits } from "./reset-credits.ts"

/** One usage window. */
export type QuotaWindow = {
  /** 0–100 and above. */
  readonly usedPercent: number
  readonly windowMinutes: number
  /** Seconds since the epoch. */
  readonly resetAtSec: number
}

/** Two windows; an absent one is undefined. */
export type QuotaWindows = { readonly primary: QuotaWindow; readonly secondary: QuotaWindow | undefined }

/** Prepaid use beyond the windows. */
export type QuotaCredits = { readonly hasCredits: boolean; readonly unlimited: boolean; readonly balance: number }

/** A limit family: the plan's own one, or an extra one that counts a single model. */
export type QuotaFamily = "codex" | "codex_bengalfox"

/** Everything about an account's quota. */
export type QuotaState = {
  readonly windows: Readonly<Record<QuotaFamily, QuotaWindows>>
  readonly credits: QuotaCredits
  /** Added to each window of the family by a served request. */
  readonly usePercentPerRequest: number
}

/** What may be stated about a window; the rest stays. */
export type WindowPatch = {
  readonly usedPercent?: number
  readonly windowMinutes?: number
  readonly resetsInSec?: number
}

/** What may be stated about an account's quota; `secondary: null` removes the window. */
export type QuotaPatch = {
  readonly family?: QuotaFamily
  /** `standard` = 5 h and 7 d, `weekly-in-primary` = 7 d alone in the first slot, as free and some paid plans have it. */
  readonly layout?: "standard" | "weekly-in-primary"
  readonly primary?: WindowPatch
  readonly secondary?: WindowPatch | null
  readonly credits?: Partial<QuotaCredits>
  readonly usePercentPerRequest?: number
}

/** The quota engine. Accounts are known by name and appear on first use. */
export type QuotaEngine = {
  /** The state now: windows whose time is over start again at zero. */
  readonly read: (name: string, plan: string) => QuotaState
  readonly patch: (name: string, plan: string, patch: QuotaPatch) => QuotaState
  /** True when the family's windows are spent and no credits help. */
  readonly isExhausted: (state: QuotaState, family: QuotaFamily) => boolean
  /** Resets that accounts have banked. */
  readonly resetCredits: ResetCredits
  /** Books one served request. */
  readonly book: (name: string, plan: string, family: QuotaFamily) => void
}

const SESSION_MINUTES = 300
const WEEK_MINUTES = 10_080

/** What the engine is made from. */
export type QuotaEngineParts = { readonly clock: Clock; readonly ids: Ids; readonly usePercentPerRequest: number }

/** Makes the engine. `usePercentPerRequest` is what a request uses of an account that states nothing else. */
export function makeQuotaEngine(parts: QuotaEngineParts): QuotaEngine {
  const states = new Map<string, QuotaState>()
  const nowSec = () => Math.floor(parts.clock() / 1000)
  const store = (name: string, state: QuotaState) => {
    states.set(name, state)
    return state
  }
  const read = (name: string, plan: string) => {
    const known = states.get(name)
    if (known === undefined) return store(name, freshState(plan, nowSec(), parts.usePercentPerRequest))
    return store(name, { ...known, windows: mapFamilies(known, windows => rollOver(windows, nowSec())) })
  }
  return {
    read,
    resetCredits: makeResetCredits(parts),
    patch: (name, plan, patch) => store(name, applyPatch(read(name, plan), patch, nowSec())),
    isExhausted: (state, family) => isSpent(state.windows[family]) && !canUseCredits(state.credits),
    book: (name, plan, family) => {
      const state = read(name, plan)
      const credits = isSpent(state.windows[family]) ? spendCredit(state.credits) : state.credits
      const windows = { ...state.windows, [family]: addUse(state.windows[family], state.usePercentPerRequest) }
      store(name, { ...state, credits, windows })
    },
  }
}

function freshState(plan: string, nowSec: number, usePercentPerRequest: number): QuotaState {
  const layout = plan.startsWith("free") ? "weekly-in-primary" : "standard"
  return {
    windows: { codex: layoutOf(layout, nowSec), codex_bengalfox: layoutOf("standard", nowSec) },
    credits: { hasCredits: false, unlimited: false, balance: 0 },
    usePercentPerRequest,
  }
}

function layoutOf(layout: "standard" | "weekly-in-primary", nowSec: number): QuotaWindows {
  const week = { usedPercent: 0, windowMinutes: WEEK_MINUTES, resetAtSec: nowSec + WEEK_MINUTES * 60 }
  if (layout === "weekly-in-primary") return { primary: week, secondary: undefined }
  const session = { usedPercent: 0, windowMinutes: SESSION_MINUTES, resetAtSec: nowSec + SESSION_MINUTES * 60 }
  return { primary: session, secondary: week }
}

function mapFamilies(state: QuotaState, change: (windows: QuotaWindows) => QuotaWindows): QuotaState["windows"] {
  return { codex: change(state.windows.codex), codex_bengalfox: change(state.windows.codex_bengalfox) }
}

function mapWindows(windows: QuotaWindows, change: (window: QuotaWindow) => QuotaWindow): QuotaWindows {
  return {
    primary: change(windows.primary),
    secondary: windows.secondary === undefined ? undefined : change(windows.secondary),
  }
}

function rollOver(windows: QuotaWindows, nowSec: number): QuotaWindows {
  return mapWindows(windows, window => {
    if (window.resetAtSec > nowSec) return window
    return { ...window, usedPercent: 0, resetAtSec: nowSec + window.windowMinutes * 60 }
  })
}

/** Rounded to hundredths, so that thousands of small steps stay readable. */
function addUse(windows: QuotaWindows, percent: number): QuotaWindows {
  return mapWindows(windows, window => ({
    ...window,
    usedPercent: Math.min(100, Math.round((window.usedPercent + percent) * 100) / 100),
  }))
}

function isSpent(windows: QuotaWindows): boolean {
  return windows.primary.usedPercent >= 100 || (windows.secondary?.usedPercent ?? 0) >= 100
}

function canUseCredits(credits: QuotaCredits): boolean {
  return credits.unlimited || (credits.hasCredits && credits.balance > 0)
}

function spendCredit(credits: QuotaCredits): QuotaCredits {
  if (credits.unlimited) return credits
  const balance = Math.max(0, credits.balance - 1)
  return { ...credits, balance, hasCredits: balance > 0 }
}

function applyPatch(state: QuotaState, patch: QuotaPatch, nowSec: number): QuotaState {
  const family = patch.family ?? "codex"
  const base = patch.layout === undefined ? state.windows[family] : layoutOf(patch.layout, nowSec)
  const windows = {
    primary: patchWindow(base.primary, patch.primary ?? {}, nowSec),
    secondary: patchSecondary(base.secondary, patch.secondary, nowSec),
  }
  return {
    windows: { ...state.windows, [family]: windows },
    credits: { ...state.credits, ...patch.credits },
    usePercentPerRequest: patch.usePercentPerRequest ?? state.usePercentPerRequest,
  }
}

function patchSecondary(
  window: QuotaWindow | undefined,
  patch: WindowPatch | null | undefined,
  nowSec: number,
): QuotaWindow | undefined {
  if (patch === null) return undefined
  if (patch === undefined) return window
  return patchWindow(window ?? layoutOf("weekly-in-primary", nowSec).primary, patch, nowSec)
}

function patchWindow(window: QuotaWindow, patch: WindowPatch, nowSec: number): QuotaWindow {
  return {
    usedPercent: patch.usedPercent ?? window.usedPercent,
    windowMinutes: patch.windowMinutes ?? window.windowMinutes,
    resetAtSec: patch.resetsInSec === undefined ? window.resetAtSec : nowSec + patch.resetsInSec,
  }
}
