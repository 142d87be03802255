/** The page a browser shows when a sign-in has come back to this machine. */

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.5rem;color:#1c1c1c;background:#fafafa}" +
  "h1{font-size:1.4rem}@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}}"

/** Makes the page. The texts are shown as they are, never as HTML. */
export function resultPage(status: number, title: string, lines: readonly string[]): Response {
  const paragraphs = lines.map(line => `<p>${Bun.escapeHTML(line)}</p>`).join("")
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${Bun.escapeHTML(title)}</title><style>${STYLE}</style><h1>${Bun.escapeHTML(title)}</h1>${paragraphs}</html>
`
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      // The address holds the spent code: it goes nowhere from here.
      "referrer-policy": "no-referrer",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
      connection: "close",
    },
  })
}
