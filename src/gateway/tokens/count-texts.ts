/** Counts the tokens of texts in bounded time, whatever is in them. */

/** Tokens of one text; words that stand for control tokens are text like any other. */
export type CountText = (text: string, options: { readonly disallowedSpecial: Set<string> }) => number

/**
 * Longest run without a blank that is looked at whole. The cost of a run grows with its square (16 s for 100,000
 * letters), and a cut costs at most one token.
 */
const LONGEST_RUN = /\S{256}/g

/** Longer texts are counted by samples of this size, taken evenly. */
const MAX_TEXT_CHARS = 200_000
const SAMPLE_CHARS = 10_000
const SAMPLES = 12

/** Returns one count a text. */
export function countTexts(texts: readonly string[], count: CountText): readonly number[] {
  // Nothing is special in what users write.
  const options = { disallowedSpecial: new Set<string>() }
  return texts.map(text => countLong(text, piece => count(piece, options)))
}

type CountPiece = (text: string) => number

function countLong(text: string, count: CountPiece): number {
  if (text.length <= MAX_TEXT_CHARS) return countWhole(text, count)
  const step = Math.floor((text.length - SAMPLE_CHARS) / (SAMPLES - 1))
  let sampled = 0
  for (let index = 0; index < SAMPLES; index++) {
    sampled += countWhole(text.slice(index * step, index * step + SAMPLE_CHARS), count)
  }
  return Math.round((sampled * text.length) / (SAMPLES * SAMPLE_CHARS))
}

function countWhole(text: string, count: CountPiece): number {
  let tokens = 0
  let from = 0
  for (const run of text.matchAll(LONGEST_RUN)) {
    const to = run.index + run[0].length
    tokens += count(text.slice(from, to))
    from = to
  }
  return tokens + count(text.slice(from))
}
