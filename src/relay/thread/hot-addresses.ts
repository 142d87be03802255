/** Which requests are carried: model turns. Everything else is passed on to the owner, who knows every address. */

/** As the routes have them; a spelling that is missing here is merely served the long way. */
const HOT = [
  /^(\/v1|\/v1\/v1|\/backend-api\/codex)?\/(chat\/completions|responses|completions)$/,
  /^(\/v1|\/v1\/v1)?\/messages$/,
  /^(\/{1,2}v1beta|\/{1,2}v1alpha|\/{1,2}v1|\/v1beta\/v1beta)?\/models\/[^:%]+:(generateContent|streamGenerateContent)$/,
]

/** True for a request for a model turn. */
export function isHot({ method, url }: Pick<Request, "method" | "url">): boolean {
  if (method !== "POST") return false
  const { pathname } = new URL(url)
  return HOT.some(address => address.test(pathname))
}
