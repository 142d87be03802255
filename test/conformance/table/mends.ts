/** Mends of the translators: each taken out of the source turns a cell of the table red. */

/** `file` contains `find` exactly once; with `replace` in its place the cell fails. */
export type TranslatorMend = {
  readonly what: string
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Ids of a client and a row. */
  readonly cell: { readonly client: string; readonly row: string }
}

/** The recorded mends. */
export const TRANSLATOR_MENDS: readonly TranslatorMend[] = [
  {
    what: "Names that are too long upstream are shortened",
    file: "src/protocols/openai-responses/encode/tool-names.ts",
    find: "    if (ACCEPTABLE_NAME.test(name) || renamed.has(name)) continue\n    const upstream = firstFree(shortenName(name), taken)",
    replace: "    if (ACCEPTABLE_NAME.test(name) || renamed.has(name)) continue\n    const upstream = name",
    cell: { client: "openai-chat", row: "long-name" },
  },
  {
    what: "Shortened names are called by their long ones again",
    file: "src/protocols/openai-responses/encode/tool-names.ts",
    find: "    toClient.set(upstream, name)",
    replace: "    toClient.set(upstream, upstream)",
    cell: { client: "anthropic-sdk", row: "long-name" },
  },
  {
    what: "Calls of one answer are numbered one after the other",
    file: "src/protocols/openai-chat/chat-steps.ts",
    find: "    index: state.calls.size,",
    replace: "    index: 0,",
    cell: { client: "opencode-chat", row: "parallel" },
  },
  {
    what: "An answer that broke off is reset, not ended politely",
    file: "src/gateway/answer/stream-answer.ts",
    find: "    this.#send(controller, (this.#running?.pipe ?? openFailurePipe()).fail(error), this.#parts.clock())\n    this.#fail(controller, error)",
    replace: "    this.#end(error)\n    controller.close()",
    cell: { client: "langchain-chat", row: "cut-text" },
  },
  {
    what: "Sealed reasoning travels through Messages as a signature",
    file: "src/protocols/seal-signature.ts",
    find: '  const content = isJsonObject(item) ? stringAt(item, "encrypted_content") : undefined',
    replace: "  const content = isJsonObject(item) ? undefined : undefined",
    cell: { client: "claude-code", row: "reasoning" },
  },
  {
    what: "Signatures of Gemini's clients are read back",
    file: "src/protocols/gemini/signature.ts",
    find: '  return unsealSignature(Buffer.from(signature, "base64").toString("utf8"))',
    replace: "  return unsealSignature(signature)",
    cell: { client: "genai", row: "reasoning" },
  },
  {
    what: "What another account has sealed is left out",
    file: "src/protocols/openai-responses/encode/normalise-items.ts",
    find: "rules.dropEncrypted || rules.foreignTexts?.has(encrypted)",
    replace: "rules.dropEncrypted",
    cell: { client: "codex", row: "moved" },
  },
  {
    what: "A schema in `response_format` reaches the upstream",
    file: "src/protocols/openai-chat/decode-format.ts",
    find: "      return decodeSchemaFormat(format)",
    replace: "      return undefined",
    cell: { client: "openai-chat", row: "structured" },
  },
  {
    what: "Inline pictures of Gemini's clients are pictures",
    file: "src/protocols/gemini/request/media.ts",
    find: '  if (type.startsWith("image/")) return { type: "image", url }\n',
    replace: "",
    cell: { client: "genai", row: "image" },
  },
  {
    what: "Thoughts are counted beside a candidate's tokens, not among them",
    file: "src/protocols/gemini/answer/usage.ts",
    find: "    candidatesTokenCount: outputTokens - thoughts,",
    replace: "    candidatesTokenCount: outputTokens,",
    cell: { client: "gemini-cli", row: "usage" },
  },
  {
    what: "A silent stream of Gemini gets no comments",
    file: "src/protocols/gemini/encode-stream.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source to be found.
    find: '      return `${framing.before()}${CONTENT}"text":""${state.textTail}`',
    replace: '      return ": still here\\n\\n"',
    cell: { client: "gemini-cli", row: "silence" },
  },
  {
    what: "A warm-up over WebSocket costs no turn",
    file: "src/http/sockets/frames.ts",
    find: '      return { type: frame["generate"] === false ? "warm-up" : "create", body: bodyOf(frame) }',
    replace: '      return { type: "create", body: bodyOf(frame) }',
    cell: { client: "codex-socket", row: "text" },
  },
]
