/** SQL files are imported as text and end up inside the binary. */
declare module "*.sql" {
  const text: string
  // biome-ignore lint/style/noDefaultExport: a text import is a default import by definition.
  export default text
}
