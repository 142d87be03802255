/** The generated files are what the schema says. `UPDATE_GENERATED=1` writes them. */

import { expect, test } from "bun:test"
import { join } from "node:path"

import { renderConfigDocs, renderDefaultYaml, renderJsonSchema } from "#config/render.ts"

const ROOT = join(import.meta.dir, "..", "..", "..")
const GENERATED = [
  { path: "docs/config.md", render: renderConfigDocs },
  { path: "config/default.yaml", render: renderDefaultYaml },
] as const

for (const { path, render } of GENERATED) {
  test(`${path} is what the schema says`, async () => {
    const file = Bun.file(join(ROOT, path))
    if (process.env["UPDATE_GENERATED"] === "1") await Bun.write(file, render())
    expect(await file.text()).toBe(render())
  })

  test(`${path} says in its first line that it is generated`, () => {
    expect(render().split("\n", 1)[0]).toContain("Generated from src/config/schema.ts")
  })
}

test("the JSON Schema is plain JSON Schema: no note, every section closed, keys of the other gateway allowed", () => {
  const schema = JSON.parse(renderJsonSchema())
  expect(schema.properties["max-retry"]).toEqual({
    default: 2,
    description: "How often a failed request moves on to another account, so attempts = this + 1.",
    maximum: 1000,
    minimum: 0,
    type: "integer",
    "x-takes-effect": "at once",
  })
  expect(schema.properties.queue.additionalProperties).toBe(false)
  expect(schema.properties.queue.properties.timeout["x-unit"]).toBe("seconds")
  expect(schema.properties.queue.required).toBeUndefined()
  expect(schema.properties["db-host"].deprecated).toBe(true)
  expect(renderJsonSchema()).not.toContain('"note"')
})
