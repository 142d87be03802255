/** What a request wants besides an answer: thinking, a format, an end, or only that the model be there. */

import { arrayAt, isJsonObject, type Json, type JsonObject, objectAt, stringAt } from "#core/json.ts"
import type { ModelRequest, OutputFormat, ReplyOptions } from "#core/request.ts"
import { invalidRequest } from "#protocols/check-body.ts"
import { schemaFormat } from "#protocols/schema-format.ts"

/** What the request wants of the model's thinking. */
export type ThinkWish = Pick<ModelRequest, "effort" | "summary"> & Pick<ReplyOptions, "thinking">

const EFFORTS: ReadonlySet<Json> = new Set(["low", "medium", "high", "max"])

const SHOWN = { summary: "auto", thinking: "shown" } as const

/** Reads `think`. Models that think do so unless they are told not to. Throws `invalid-request` for other words. */
export function decodeThink(think: Json | undefined): ThinkWish {
  if (think === undefined || think === true) return SHOWN
  if (think === false) return { effort: "none", summary: "none" }
  if (typeof think === "string" && EFFORTS.has(think)) return { effort: think, ...SHOWN }
  throw invalidRequest("'think' must be true, false, low, medium, high or max.", "think", "invalid_value")
}

/** The format to ask for; `unwrap` tells what the answer was wrapped in. */
export type FormatWish = { readonly format?: OutputFormat } & Pick<ReplyOptions, "unwrap">

/** Reads `format`. Throws `invalid-request` for other words. */
export function decodeFormat(format: Json | undefined): FormatWish {
  if (format === undefined || format === "") return {}
  if (format === "json") return { format: { type: "json-object" } }
  if (!isJsonObject(format)) throw invalidRequest("'format' must be json or a JSON schema.", "format", "invalid_value")
  const { $schema: _, ...schema } = format
  const { format: wanted, isWrapped } = schemaFormat("response", schema)
  return isWrapped ? { format: wanted, unwrap: "json" } : { format: wanted }
}

/** Reads the texts the answer ends before. */
export function decodeStops(body: JsonObject): readonly string[] {
  const options = objectAt(body, "options") ?? {}
  const single = stringAt(options, "stop")
  const stops = single === undefined ? (arrayAt(options, "stop") ?? []) : [single]
  return stops.filter(stop => typeof stop === "string" && stop !== "") as readonly string[]
}

/** A time of nothing, as a number or as a duration. */
const NO_TIME = /^0+(\.0+)?(ns|us|µs|ms|s|m|h)?$/

/** Tells what a request without words is about: the model is to be there, or to go. */
export function decodeLoad({ keep_alive: keepAlive }: JsonObject): "load" | "unload" {
  const isOver = keepAlive === 0 || (typeof keepAlive === "string" && NO_TIME.test(keepAlive.trim()))
  return isOver ? "unload" : "load"
}
