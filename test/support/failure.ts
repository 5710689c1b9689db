/** The error that a promise ends in; it is an error that it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error(`expected it to fail, it gave ${JSON.stringify(outcome.value)}`);
  if (outcome.error instanceof Error) return outcome.error;
  throw new Error(`expected an Error, it threw ${String(outcome.error)}`);
}
