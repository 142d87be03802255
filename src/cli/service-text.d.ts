/** A systemd unit imported with `with { type: "text" }`. */
declare module "*.service" {
  const text: string
  // Bun hands text imports over as the default export.
  // biome-ignore lint/style/noDefaultExport: declares what the loader does
  export default text
}
