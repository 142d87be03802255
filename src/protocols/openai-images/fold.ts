/** Folds neutral events into the pictures of a client that does not stream, and joins several such answers. */

import type { GatewayError } from "#core/errors.ts"
import { arrayAt, type Json, type JsonObject, numberAt, objectAt, parseJsonObject } from "#core/json.ts"
import type { Folder, ReplyContext } from "#protocols/protocol.ts"
import { streamBreak } from "#protocols/stream-break.ts"

import { dataUrlText, lookText } from "./picture-text.ts"
import { makePictureSteps, type Picture, type Pictures } from "./pictures.ts"

/** Makes a folder for one answer. */
export function makeImagesFolder(context: ReplyContext): Folder {
  let whole: Pictures | undefined
  let failure: GatewayError | undefined
  return {
    add: makePictureSteps(context, {
      partial: () => {},
      finish: pictures => {
        whole = pictures
      },
      error: error => {
        failure = error
      },
    }),
    finish: () => {
      if (failure !== undefined) throw failure
      if (whole !== undefined) return answerText(whole, context)
      throw streamBreak()
    },
  }
}

function answerText({ createdAtSec, pictures, usage }: Pictures, context: ReplyContext): string {
  const asUrl = context.reply.image?.asUrl === true
  const [first] = pictures
  const data = pictures.map(picture => entryText(picture, asUrl)).join(",")
  const look = first === undefined ? "" : `,${lookText(first)}`
  const counts = usage === undefined ? "" : `,"usage":${JSON.stringify(usage)}`
  return `{"created":${createdAtSec},"data":[${data}]${look}${counts}}`
}

function entryText(picture: Picture, asUrl: boolean): string {
  const { revisedPrompt } = picture.look
  const image = asUrl ? `"url":${dataUrlText(picture)}` : `"b64_json":${picture.base64}`
  return `{${image}${revisedPrompt === undefined ? "" : `,"revised_prompt":${JSON.stringify(revisedPrompt)}`}}`
}

/** Joins whole answers into one: all pictures, the sum of what they cost, and what else the first one says. */
export function joinImageAnswers(bodies: readonly string[]): string {
  const [first, ...others] = bodies
  if (first !== undefined && others.length === 0) return first
  const answers = bodies.map(body => parseJsonObject(body) ?? {})
  const usages = answers.map(answer => objectAt(answer, "usage")).filter(usage => usage !== undefined)
  return JSON.stringify({
    ...answers[0],
    data: answers.flatMap(answer => arrayAt(answer, "data") ?? []),
    ...(usages.length > 0 && { usage: usages.reduce(sumOf) }),
  })
}

/** Adds number by number, members of members included. */
function sumOf(one: JsonObject, other: JsonObject): JsonObject {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  return Object.fromEntries([...keys].map(key => [key, sumAt(one, other, key)]))
}

function sumAt(one: JsonObject, other: JsonObject, key: string): Json {
  const inner = [objectAt(one, key), objectAt(other, key)].filter(value => value !== undefined)
  if (inner.length > 0) return inner.reduce(sumOf)
  return (numberAt(one, key) ?? 0) + (numberAt(other, key) ?? 0)
}
