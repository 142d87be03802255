/** The models assumed until any account has told us its list. The live list is the authority. */

import type { ModelInfo } from "#core/model-info.ts"

type Row = {
  readonly slug: string
  readonly displayName: string
  readonly description: string
  /** The highest effort; every current model begins at `low`. */
  readonly upTo: keyof typeof EFFORTS_UP_TO
  readonly defaultEffort: string
  readonly contextTokens: number
  readonly maxContextTokens: number
  readonly textOnly?: true
  readonly hidden?: true
  readonly noFastTier?: true
}

const EFFORTS_UP_TO = {
  xhigh: ["low", "medium", "high", "xhigh"],
  max: ["low", "medium", "high", "xhigh", "max"],
  ultra: ["low", "medium", "high", "xhigh", "max", "ultra"],
} as const

const WINDOW = { contextTokens: 272_000, maxContextTokens: 272_000 } as const
const LARGE_WINDOW = { contextTokens: 272_000, maxContextTokens: 872_000 } as const

/** In the order of pickers. Sources: https://github.com/openai/codex (models.json) and public reports. */
const ROWS: readonly Row[] = [
  {
    slug: "gpt-5.6-terra",
    displayName: "GPT-5.6 Terra",
    description: "Balanced model for everyday work.",
    upTo: "ultra",
    defaultEffort: "medium",
    ...LARGE_WINDOW,
  },
  {
    slug: "gpt-5.6-sol",
    displayName: "GPT-5.6 Sol",
    description: "Strongest model of its family.",
    upTo: "ultra",
    defaultEffort: "low",
    ...WINDOW,
  },
  {
    slug: "gpt-5.6-luna",
    displayName: "GPT-5.6 Luna",
    description: "Small and fast model.",
    upTo: "max",
    defaultEffort: "medium",
    ...LARGE_WINDOW,
  },
  {
    slug: "gpt-5.5",
    displayName: "GPT-5.5",
    description: "General model of the previous family.",
    upTo: "xhigh",
    defaultEffort: "medium",
    ...WINDOW,
  },
  {
    slug: "gpt-6-astra",
    displayName: "GPT-6 Astra",
    description: "Frontier model; served to newer client versions.",
    upTo: "ultra",
    defaultEffort: "low",
    ...LARGE_WINDOW,
  },
  {
    slug: "gpt-6-sol",
    displayName: "GPT-6 Sol",
    description: "Strong model; served to newer client versions.",
    upTo: "ultra",
    defaultEffort: "medium",
    ...WINDOW,
  },
  {
    slug: "gpt-6-luna",
    displayName: "GPT-6 Luna",
    description: "Small model; served to newer client versions.",
    upTo: "max",
    defaultEffort: "medium",
    ...WINDOW,
  },
  {
    slug: "gpt-5.3-codex-spark",
    displayName: "GPT-5.3 Codex Spark",
    description: "Very fast, text only, with a quota of its own.",
    upTo: "xhigh",
    defaultEffort: "high",
    contextTokens: 128_000,
    maxContextTokens: 128_000,
    textOnly: true,
    noFastTier: true,
  },
  {
    slug: "codex-auto-review",
    displayName: "Codex Auto Review",
    description: "Reviews changes on behalf of a client.",
    upTo: "max",
    defaultEffort: "medium",
    contextTokens: 272_000,
    maxContextTokens: 921_000,
    hidden: true,
  },
  {
    slug: "gpt-daybreak-blue-latest",
    displayName: "GPT Daybreak Blue",
    description: "Seen in some accounts' lists.",
    upTo: "ultra",
    defaultEffort: "medium",
    ...WINDOW,
    hidden: true,
    noFastTier: true,
  },
]

/** The built-in catalogue, best default first. */
export const BUILT_IN_MODELS: readonly ModelInfo[] = ROWS.map((row, index) => ({
  slug: row.slug,
  displayName: row.displayName,
  description: row.description,
  visibility: row.hidden === true ? "hide" : "list",
  priority: index + 1,
  efforts: EFFORTS_UP_TO[row.upTo],
  defaultEffort: row.defaultEffort,
  serviceTiers: row.noFastTier === true ? [] : ["priority"],
  contextTokens: row.contextTokens,
  maxContextTokens: row.maxContextTokens,
  inputModalities: row.textOnly === true ? ["text"] : ["text", "image"],
  supportsSummary: row.textOnly !== true,
  supportsVerbosity: true,
  supportsImageTool: row.textOnly !== true,
  plans: [],
}))
