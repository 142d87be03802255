/** What a client key may do and how much: the form in which operators write it and the store keeps it. */

import { type Static, Type } from "@sinclair/typebox"

const NAME = Type.String({ minLength: 1, maxLength: 200 })
const NAMES = Type.Array(NAME, { maxItems: 500 })

/** Deny counts over allow; an empty or missing `allow` allows everything that is not denied. */
const RULE = Type.Object({ allow: Type.Optional(NAMES), deny: Type.Optional(NAMES) }, { additionalProperties: false })

const COUNT = Type.Integer({ minimum: 1, maximum: 1e15 })
const USD = Type.Number({ exclusiveMinimum: 0, maximum: 1e9 })

const CAPS = Type.Object(
  {
    requests: Type.Optional(COUNT),
    input_tokens: Type.Optional(COUNT),
    output_tokens: Type.Optional(COUNT),
    /** Input and output together. */
    tokens: Type.Optional(COUNT),
    cost_usd: Type.Optional(USD),
  },
  { additionalProperties: false },
)

/** The limits of a key. Each may be missing, which means that there is none. */
export const LIMITS = Type.Object(
  {
    /** Requests and tokens a minute. */
    rpm: Type.Optional(COUNT),
    tpm: Type.Optional(COUNT),
    /** Requests a calendar day. */
    rpd: Type.Optional(COUNT),
    /** Requests at the same time. */
    concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    "5h": Type.Optional(CAPS),
    "7d": Type.Optional(CAPS),
    "30d": Type.Optional(CAPS),
    /** The calendar day. */
    day: Type.Optional(CAPS),
    /** For ever, or until the usage is reset. */
    total: Type.Optional(CAPS),
  },
  { additionalProperties: false },
)

/** Rights and limits together. */
export const POLICY = Type.Object(
  {
    /** Names as clients write them or as the upstream has them, with `*` for any text. */
    models: Type.Optional(RULE),
    /** Tags of accounts: one of `allow`, none of `deny`. */
    tags: Type.Optional(RULE),
    plans: Type.Optional(RULE),
    /** Ranges of addresses clients may come from. */
    addresses: Type.Optional(NAMES),
    limits: Type.Optional(LIMITS),
  },
  { additionalProperties: false },
)

/** What is allowed and what is denied. */
export type NameRule = Static<typeof RULE>

/** How much of each, within one span of time. */
export type Caps = Static<typeof CAPS>

/** All limits of a key. */
export type KeyLimits = Static<typeof LIMITS>

/** Rights and limits of a key. */
export type KeyPolicy = Static<typeof POLICY>

/** Spans of time that have caps of their own. */
export const WINDOWS = ["5h", "7d", "30d", "day", "total"] as const

/** One of those spans. */
export type WindowName = (typeof WINDOWS)[number]
