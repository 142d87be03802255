/** Reads settings from command line flags: any key as `--key value` or `--key=value`. */

import { checkValue, readText } from "./check-value.ts"
import { nearest } from "./edit-distance.ts"
import { CONFIG_KEYS, type ConfigKey, keyOfFlag } from "./keys.ts"
import type { ConfigLayer, ConfigProblem, Setting } from "./problem.ts"

/**
 * Flags a command has besides the settings: alone (`switch`), followed by a value, or followed by a value and possibly given
 * several times (`list`).
 */
export type OwnFlags = Readonly<Record<string, "switch" | "value" | "list">>

/** A command line taken apart. */
export type CommandLine = {
  /** Value of `--config`. */
  readonly configPath: string | undefined
  readonly layer: ConfigLayer
  /** The command's own flags that were given; a switch has the value `true`, a list its values with commas between. */
  readonly own: ReadonlyMap<string, string | true>
  /** Arguments that are not flags, and everything after `--`. */
  readonly positionals: readonly string[]
}

/**
 * Takes a command line apart. One dash or two before a long name are the same (`-config` works).
 * Unknown flags, missing values and bad values are problems in `layer`.
 */
export function readCommandLine(args: readonly string[], ownFlags: OwnFlags = {}): CommandLine {
  const known: OwnFlags = { ...ownFlags, "--config": "value" }
  const steps = readSteps(args, known)
  const own = ownFlagsOf(steps, known)
  const configPath = own.get("--config")
  own.delete("--config")
  return {
    configPath: typeof configPath === "string" ? configPath : undefined,
    layer: {
      settings: steps.flatMap(step => (step.type === "setting" ? [step.setting] : [])),
      problems: steps.flatMap(step => (step.type === "problem" ? [step.problem] : [])),
      warnings: [],
    },
    own,
    positionals: steps.flatMap(step => (step.type === "positionals" ? step.values : [])),
  }
}

function ownFlagsOf(steps: readonly Step[], known: OwnFlags): Map<string, string | true> {
  const own = new Map<string, string | true>()
  for (const step of steps) {
    if (step.type !== "own") continue
    const before = known[step.name] === "list" ? own.get(step.name) : undefined
    own.set(step.name, before === undefined ? step.value : `${before},${step.value}`)
  }
  return own
}

type Step = { readonly taken: number } & (
  | { readonly type: "positionals"; readonly values: readonly string[] }
  | { readonly type: "own"; readonly name: string; readonly value: string | true }
  | { readonly type: "setting"; readonly setting: Setting }
  | { readonly type: "problem"; readonly problem: ConfigProblem }
  | { readonly type: "unset" }
)

/** A flag as written, with what stood behind `=` and the argument after it. */
type Flag = { readonly name: string; readonly inline: string | undefined; readonly next: string | undefined }

function readSteps(args: readonly string[], known: OwnFlags): readonly Step[] {
  const steps: Step[] = []
  for (let index = 0; index < args.length; ) {
    const step = readArgument(args, index, known)
    steps.push(step)
    index += step.taken
  }
  return steps
}

function readArgument(args: readonly string[], index: number, known: OwnFlags): Step {
  const argument = args[index] ?? ""
  if (argument === "--") return { type: "positionals", values: args.slice(index + 1), taken: args.length }
  if (!/^--?[A-Za-z]/.test(argument)) return { type: "positionals", values: [argument], taken: 1 }
  const equals = argument.indexOf("=")
  const written = equals < 0 ? argument : argument.slice(0, equals)
  const name = written.startsWith("--") ? written : `-${written}`
  const flag: Flag = { name, inline: equals < 0 ? undefined : argument.slice(equals + 1), next: args[index + 1] }
  if (Object.hasOwn(known, name)) return readOwnFlag(flag, known[name])
  const key = keyOfFlag(name)
  return key === undefined ? unknownFlag(name, known) : readKeyFlag(flag, key)
}

function readOwnFlag({ name, inline, next }: Flag, form: OwnFlags[string] | undefined): Step {
  if (form === "switch") {
    return inline === undefined ? { type: "own", name, value: true, taken: 1 } : problemStep(name, "takes no value")
  }
  if (inline !== undefined) return { type: "own", name, value: inline, taken: 1 }
  return next === undefined ? missingValue(name) : { type: "own", name, value: next, taken: 2 }
}

function readKeyFlag({ name, inline, next }: Flag, key: ConfigKey): Step {
  const alone = key.note.kind === "flag" && inline === undefined && !isTruthWord(next)
  const text = alone ? "true" : (inline ?? next)
  if (text === undefined) return missingValue(name)
  const taken = alone || inline !== undefined ? 1 : 2
  return { ...checkValue(key, readText(key, text), { type: "flag", name }), taken }
}

function isTruthWord(text: string | undefined): boolean {
  return text !== undefined && /^(true|false|0|1)$/i.test(text)
}

function unknownFlag(name: string, known: OwnFlags): Step {
  const near = nearest(name, [...Object.keys(known), ...CONFIG_KEYS.map(key => key.flagName)])
  const step = problemStep(name, "unknown flag")
  if (step.type !== "problem" || near === undefined) return step
  return { ...step, problem: { ...step.problem, nearest: near } }
}

function missingValue(name: string): Step {
  return problemStep(name, "expected a value after it")
}

function problemStep(name: string, message: string): Step {
  return { type: "problem", problem: { source: { type: "flag", name }, message }, taken: 1 }
}
