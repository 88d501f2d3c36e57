/** Looks at what a promise was rejected with. */

import assert from 'node:assert/strict';
import { CallError } from '../../../src/errors.js';

/** The error, which is to be one of the API's. */
export async function rejection(promise: Promise<unknown>): Promise<CallError> {
  const error: unknown = await promise.then(
    () => assert.fail('it was not rejected'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof CallError && error instanceof Error, String(error));
  assert.ok(error.message.length > 5);
  return error;
}
