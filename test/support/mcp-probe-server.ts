/** A minimal MCP server over standard input and output with one tool, named by its argument, for clients that bring MCP tools. */

type Message = { readonly id?: number; readonly method?: string; readonly params?: { readonly name?: string } }

const TOOL = {
  name: process.argv[2] ?? "read_probe",
  description: "Returns a fixed word",
  inputSchema: { type: "object", properties: { which: { type: "string" } } },
}

function resultOf(message: Message): unknown {
  switch (message.method ?? "") {
    case "initialize":
      return { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "probe", version: "1" } }
    case "tools/list":
      return { tools: [TOOL] }
    case "tools/call":
      return { content: [{ type: "text", text: `probe says marmalade (${message.params?.name})` }] }
    default:
      return {}
  }
}

if (import.meta.main) {
  for await (const line of console) {
    const message: Message = JSON.parse(line)
    if (message.id !== undefined)
      console.log(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: resultOf(message) }))
  }
}
