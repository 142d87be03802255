/** Writes the schema out for people and editors: the reference page, the default file, the JSON Schema. */

import type { TSchema } from "@sinclair/typebox"

import { CONFIG_KEYS, type ConfigKey, isSection } from "./keys.ts"
import { noteOf } from "./leaf.ts"
import { CONFIG_GROUPS, CONFIG_SCHEMA } from "./schema.ts"
import { FORMER_KEYS } from "./unused-keys.ts"

/** Returns the text of `docs/config.md`. */
export function renderConfigDocs(): string {
  const groups = Object.entries(CONFIG_GROUPS).flatMap(([title, properties]) => [
    `## ${title}`,
    "",
    ...Object.entries(properties).flatMap(([name, schema]) => docsOf(name, schema)),
  ])
  return [...DOCS_HEAD, ...groups, ...docsOfUnused()].join("\n")
}

/** Returns the text of `config/default.yaml`: every setting with its default. */
export function renderDefaultYaml(): string {
  const groups = Object.entries(CONFIG_GROUPS).flatMap(([title, properties]) => [
    `# ${title}`,
    ...Object.entries(properties).flatMap(([name, schema]) => yamlOf(name, schema)),
    "",
  ])
  return [...YAML_HEAD, ...groups].join("\n")
}

/** Returns the JSON Schema (draft 2020-12) of the configuration file, for editors. */
export function renderJsonSchema(): string {
  const unused = FORMER_KEYS.map(name => [name, { deprecated: true, description: "Without effect." }])
  const properties = Object.entries(CONFIG_SCHEMA.properties).map(([name, schema]) => [name, plainSchema(schema)])
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of Sluice",
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries([...properties, ...unused]),
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

const DOCS_HEAD = [
  "<!-- Generated from src/config/schema.ts. Change that file, then run `UPDATE_GENERATED=1 bun test test/unit/config/render.test.ts`. -->",
  "",
  "# Configuration",
  "",
  "Four layers, each over the one before:",
  "",
  "1. the defaults below, which are in the binary;",
  "2. one YAML file: the one named by `--config`, else `./sluice.yaml`, else `$XDG_CONFIG_HOME/sluice/config.yaml` (`~/.config` when the variable is not set);",
  "3. environment variables, and `PORT`, which replaces the port of `listen`;",
  "4. command line flags, any key as `--key value`.",
  "",
  "`HTTPS_PROXY` (or `https_proxy`) is used as `proxy-url` when no layer names that key. An empty environment variable and a key without a value count as not given. Relative paths start at the working directory, `~/` at the home directory. Lists are separated by commas in variables and flags.",
  "",
  "An unknown key, a wrong type or a bad value stops the start, and all of them are reported at once. `sluice config check` looks without starting, `sluice config print --explain` shows where each value comes from, `sluice config schema` prints a JSON Schema for editors.",
  "",
  "The file is watched. Keys marked _at once_ take effect while running; a change of the others is reported and waits for a restart. A broken edit is reported and changes nothing, and so is a file that is suddenly gone or empty.",
  "",
]

const YAML_HEAD = [
  "# Generated from src/config/schema.ts; carried inside the binary as the lowest layer. docs/config.md explains every key.",
  "",
]

function docsOf(name: string, schema: TSchema): readonly string[] {
  if (!isSection(schema)) return docsOfKeys(key => key.path === name)
  return [
    `### \`${name}\``,
    "",
    String(schema["description"]),
    "",
    ...docsOfKeys(key => key.path.startsWith(`${name}.`)),
  ]
}

function docsOfKeys(belongs: (key: ConfigKey) => boolean): readonly string[] {
  return CONFIG_KEYS.filter(belongs).flatMap(key => {
    const heading = key.path.includes(".") ? "####" : "###"
    const unit = key.note.unit === "seconds" ? " seconds" : ""
    return [
      `${heading} \`${key.path}\``,
      "",
      key.note.description,
      "",
      `- Value: ${key.note.expected}`,
      `- Default: ${defaultText(key)}${unit}`,
      `- Variable \`${key.envName}\`, flag \`${key.flagName}\``,
      `- A change takes effect ${key.note.live ? "at once" : "after a restart"}`,
      "",
    ]
  })
}

function docsOfUnused(): readonly string[] {
  const names = FORMER_KEYS.map(name => `\`${name}\``).join(", ")
  return [
    "## Keys without effect",
    "",
    "A configuration file of [XxxXTeam/codex-proxy](https://github.com/XxxXTeam/codex-proxy) loads as it is. These keys of its newer versions are accepted, named in one warning, and do nothing:",
    "",
    `${names}.`,
    "",
  ]
}

function yamlOf(name: string, schema: TSchema): readonly string[] {
  if (!isSection(schema)) return [`${name}: ${flowText(schema["default"])}`]
  const inner = Object.entries(schema.properties).map(([key, leaf]) => `  ${key}: ${flowText(leaf["default"])}`)
  return [`${name}:`, ...inner]
}

/** A value on one line of YAML; a map is spaced as the formatter has it. */
function flowText(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value)
  const entries = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${JSON.stringify(one)}`)
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`
}

function defaultText(key: ConfigKey): string {
  const value: unknown = key.schema["default"]
  if (value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0)) return "empty"
  return `\`${String(value)}\``
}

/** The schema without the note, which is Sluice's own; what an editor can show of it becomes `x-` keywords. */
function plainSchema(schema: TSchema): object {
  if (isSection(schema)) {
    const properties = Object.entries(schema.properties).map(([name, leaf]) => [name, plainSchema(leaf)])
    return { ...schema, properties: Object.fromEntries(properties), required: undefined }
  }
  const note = noteOf(schema)
  return {
    ...schema,
    note: undefined,
    "x-unit": note.unit,
    "x-takes-effect": note.live ? "at once" : "after a restart",
  }
}
