/** The content blocks an answer is made of, as they look when they open. */

/** A block that opens. What is written into it follows as deltas. */
export type OpenBlock =
  /** `cites` = the answer searched, so that citations may follow. */
  | { readonly type: "text"; readonly cites: boolean }
  | { readonly type: "thinking" }
  | { readonly type: "tool_use" | "server_tool_use"; readonly id: string; readonly name: string }
  /** Complete at once: `content` is JSON text. */
  | { readonly type: "web_search_tool_result"; readonly toolUseId: string; readonly content: string }
