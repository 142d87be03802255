/** The one way to start work nobody waits for. */

/** Lets `promise` run on its own; a failure goes to `report` under `name` instead of nowhere. */
export function inBackground(
  name: string,
  promise: Promise<unknown>,
  report: (name: string, error: unknown) => void,
): void {
  promise.catch((error: unknown) => report(name, error))
}
