/** The ratios of the stream bench, which runs in a process of its own. */

import { join } from "node:path"

import type { StreamRatios } from "./targets.ts"

/** Runs it and returns the transcoding lanes' ratios on whole chunks. */
export async function measureStreams(): Promise<StreamRatios> {
  // On all processors: the compiler's threads need one as well, or slow code is measured.
  const file = join(import.meta.dir, "..", "stream.bench.ts")
  const child = Bun.spawn([process.execPath, file, "--json"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  })
  const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited])
  if (code !== 0) throw new Error(`the stream bench ended with code ${code}`)
  // What stream.bench.ts prints with this flag.
  const rows = JSON.parse(text) as readonly { name: string; perChunk: number; ratio: number }[]
  const transcoding = rows.filter(({ name, perChunk }) => perChunk > 1 && name.startsWith("transcode to "))
  return Object.fromEntries(transcoding.map(({ name, ratio }) => [name.replace("transcode to ", ""), ratio]))
}
