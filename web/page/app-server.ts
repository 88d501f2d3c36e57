/** The development app server's HTTP interface. */

/** The service that the development server serves. */
export const SERVICE = 'dev';

async function post(path: string, body: unknown): Promise<Response> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`${path}: ${response.status} ${(await response.text()).slice(0, 200)}`);
  }
  return response;
}

/** A fresh access token for `user`. Rejects when the server does not answer or refuses. */
export async function accessToken(user: string): Promise<string> {
  const answer: unknown = await (await post('/app/token', { user_id: user })).json();
  if (typeof answer === 'object' && answer !== null && 'access_token' in answer && typeof answer.access_token === 'string') {
    return answer.access_token;
  }
  throw new Error('/app/token: no token in the answer');
}

/** The key that browsers subscribe to Web Push with, in base64url. */
export async function pushKey(): Promise<string> {
  const response = await fetch('/app/push-key');
  const answer: unknown = response.ok ? await response.json() : undefined;
  if (typeof answer === 'object' && answer !== null && 'public_key' in answer && typeof answer.public_key === 'string') {
    return answer.public_key;
  }
  throw new Error(`/app/push-key: ${response.status}`);
}

/** Calls to `user` are pushed to this subscription from now on. */
export async function subscribe(user: string, subscription: PushSubscriptionJSON): Promise<void> {
  await post('/app/subscribe', { user_id: user, subscription });
}

/** Nothing is pushed to this subscription any more. */
export async function unsubscribe(endpoint: string): Promise<void> {
  await post('/app/unsubscribe', { endpoint });
}
