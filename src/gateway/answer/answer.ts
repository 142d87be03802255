/** What the gateway gives back for one call. */

/** An HTTP answer without HTTP: the border turns it into a response. */
export type GatewayAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: ReadableStream<Uint8Array> | string
}
