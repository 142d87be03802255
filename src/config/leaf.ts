/** The kinds of setting the schema is made of, each with what the docs, the checks and the reload need to know. */

import { type TSchema, type TUnsafe, Type } from "@sinclair/typebox"

import { PROXY_PATTERN } from "./patterns.ts"

/** How a setting is written as one piece of text in a variable or a flag. */
export type LeafKind = "number" | "flag" | "text" | "choice" | "list" | "bytes" | "map" | "entries"

/** What a setting carries besides its JSON schema. */
export type LeafNote = {
  readonly kind: LeafKind
  readonly description: string
  /** Completes the sentence "expected …". */
  readonly expected: string
  /** A running process takes a new value over; false = needs a restart. */
  readonly live: boolean
  readonly unit?: "seconds" | "bytes"
  /** Never printed, neither by `config print` nor in a problem. */
  readonly secret?: true
  /** 0 (number) or "" (text) counts as "not given". */
  readonly emptyIsDefault?: true
  /** Other spellings of a choice, each with the one it stands for. */
  readonly synonyms?: Readonly<Record<string, string>>
  /** Put in front of an address that names no scheme. */
  readonly defaultScheme?: string
}

type Given<T> = { readonly default: T; readonly description: string; readonly live: boolean }

/** What a {@link text} setting may add. */
export type TextOptions = Given<string> & {
  readonly expected: string
  readonly pattern?: string
  readonly secret?: true
  readonly emptyIsDefault?: true
  readonly defaultScheme?: string
}

/** Longest time a setting may name, in seconds: a timer of 2³¹ ms or more would fire at once. */
const MAX_SECONDS = 2_000_000

/** Pattern of a size with its unit, such as `64MiB`. */
const BYTES_PATTERN = "^[1-9][0-9]{0,11} ?([kKmMgG]([iI]?[bB])?|[bB])$"

/** A whole number between two bounds. */
export function wholeNumber(
  given: Given<number> & { readonly minimum: number; readonly maximum: number; readonly emptyIsDefault?: true },
): TUnsafe<number> {
  const expected = `a whole number from ${given.minimum} to ${given.maximum}`
  const { minimum, maximum } = given
  return Type.Unsafe<number>(Type.Integer({ minimum, maximum, ...annotate(given, { kind: "number", expected }) }))
}

/** A whole number, or the word for leaving it to the program. */
export function numberOrAuto(
  given: Given<number | "auto"> & { readonly minimum: number; readonly maximum: number },
): TUnsafe<number | "auto"> {
  const { minimum, maximum } = given
  const note = annotate(given, { kind: "number", expected: `\`auto\` or a whole number from ${minimum} to ${maximum}` })
  return Type.Unsafe<number | "auto">(Type.Union([Type.Literal("auto"), Type.Integer({ minimum, maximum })], note))
}

/** A span of time in seconds; fractions are allowed. */
export function seconds(given: Given<number> & { readonly emptyIsDefault?: true }): TUnsafe<number> {
  const expected = `a number of seconds from 0 to ${MAX_SECONDS}`
  const note = annotate(given, { kind: "number", expected, unit: "seconds" })
  return Type.Unsafe<number>(Type.Number({ minimum: 0, maximum: MAX_SECONDS, ...note }))
}

/** A size: a number of bytes or a text such as `64MiB`. */
export function bytes(given: Given<string>): TUnsafe<number | string> {
  const note = annotate(given, { kind: "bytes", expected: "a size such as 64MiB or a number of bytes", unit: "bytes" })
  const forms = [Type.Integer({ minimum: 1 }), Type.String({ pattern: BYTES_PATTERN })]
  return Type.Unsafe<number | string>(Type.Union(forms, note))
}

/** True or false. */
export function flag(given: Given<boolean>): TUnsafe<boolean> {
  return Type.Unsafe<boolean>(Type.Boolean(annotate(given, { kind: "flag", expected: "true or false" })))
}

/** Free text, narrowed by a pattern. */
export function text(given: TextOptions): TUnsafe<string> {
  const note = annotate(given, { kind: "text", expected: given.expected })
  const pattern = given.pattern === undefined ? {} : { pattern: given.pattern }
  return Type.Unsafe<string>(Type.String({ ...pattern, ...note }))
}

/** One of a few words, in any letter case. */
export function choice<const Words extends readonly string[]>(
  words: Words,
  given: Given<Words[number]> & { readonly synonyms?: Readonly<Record<string, Words[number]>> },
): TUnsafe<Words[number]> {
  const note = annotate(given, { kind: "choice", expected: `one of ${words.join(", ")}` })
  const literals = words.map(word => Type.Literal(word))
  return Type.Unsafe<Words[number]>(Type.Union(literals, note))
}

/** A list of non-empty texts. */
export function secretList(given: Given<string[]>): TUnsafe<string[]> {
  const note = annotate(given, { kind: "list", expected: "a list of texts, none of them empty", secret: true })
  return Type.Unsafe<string[]>(Type.Array(Type.String({ minLength: 1, pattern: "^[!-~]+$" }), note))
}

/** A list of texts that may be shown, each narrowed by a pattern. */
export function textList(
  given: Given<string[]> & { readonly pattern: string; readonly expected: string },
): TUnsafe<string[]> {
  const note = annotate(given, { kind: "list", expected: given.expected })
  return Type.Unsafe<string[]>(Type.Array(Type.String({ minLength: 1, pattern: given.pattern }), note))
}

/** Texts by name, both without spaces. */
export function textMap(
  given: Given<Record<string, string>> & {
    readonly expected?: string
    readonly namePattern?: string
    readonly valuePattern?: string
  },
): TUnsafe<Record<string, string>> {
  const note = annotate(given, {
    kind: "map",
    expected: given.expected ?? "a mapping of names to names, such as `my-model: gpt-5.5-high`",
  })
  const text = Type.String({ minLength: 1, pattern: given.valuePattern ?? "^[!-~]+$" })
  if (given.namePattern === undefined) return Type.Unsafe<Record<string, string>>(Type.Record(text, text, note))
  const name = Type.String({ pattern: given.namePattern })
  return Type.Unsafe<Record<string, string>>(Type.Record(name, text, { ...note, additionalProperties: false }))
}

/** Whole numbers by name; a variable or flag gives them as text, for which `pattern` says the same as the bounds. */
export function numberMap(
  given: Given<Record<string, number>> & {
    readonly minimum: number
    readonly maximum: number
    readonly pattern: string
    readonly namePattern: string
    readonly expected: string
  },
): TUnsafe<Record<string, number | string>> {
  const { minimum, maximum, pattern, namePattern, expected } = given
  const value = Type.Union([Type.Integer({ minimum, maximum }), Type.String({ pattern })])
  // Without the last word a name that does not fit would be let through unseen.
  const note = { ...annotate(given, { kind: "map", expected }), additionalProperties: false }
  return Type.Unsafe<Record<string, number | string>>(Type.Record(Type.String({ pattern: namePattern }), value, note))
}

/** One account of a pool, in ProxyCast's own spelling. */
export type PoolEntryValue = {
  readonly id: string
  readonly token_file: string
  readonly disabled?: boolean | null
  readonly proxy_url?: string | null
}

/** Accounts named one by one. */
export function poolEntries(given: Given<PoolEntryValue[]>): TUnsafe<PoolEntryValue[]> {
  const expected = "a list of entries such as `{id: main, token_file: codex/main.json}`"
  const note = annotate(given, { kind: "entries", expected, secret: true })
  const name = Type.String({ pattern: "\\S" })
  const entry = Type.Object(
    {
      id: name,
      token_file: name,
      disabled: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
      proxy_url: Type.Optional(Type.Union([Type.String({ pattern: PROXY_PATTERN }), Type.Null()])),
    },
    { additionalProperties: false },
  )
  return Type.Unsafe<PoolEntryValue[]>(Type.Array(entry, note))
}

/** Returns what a leaf of the schema carries. */
export function noteOf(schema: TSchema): LeafNote {
  // Every leaf is made by the functions above, and `annotate` gives each of them a note.
  return schema["note"] as LeafNote
}

type Extra = Pick<LeafNote, "secret" | "emptyIsDefault" | "synonyms" | "defaultScheme">

function annotate(
  given: Given<unknown> & Extra,
  facts: Pick<LeafNote, "kind" | "expected" | "unit" | "secret">,
): { readonly default: unknown; readonly description: string; readonly note: LeafNote } {
  const note: LeafNote = {
    ...facts,
    description: given.description,
    live: given.live,
    ...(given.secret === undefined ? {} : { secret: given.secret }),
    ...(given.emptyIsDefault === undefined ? {} : { emptyIsDefault: given.emptyIsDefault }),
    ...(given.synonyms === undefined ? {} : { synonyms: given.synonyms }),
    ...(given.defaultScheme === undefined ? {} : { defaultScheme: given.defaultScheme }),
  }
  return { default: given.default, description: given.description, note }
}
