/** Incoming calls by Web Push, the page's half; the other half is `@duologue/web/service-worker`. */

import { CACHE, RING_TIME, isStale, key, readNote, type CallAction, type Note, type Push } from './push-message.js';

export type { CallAction, CallPush, CancelPush, Push } from './push-message.js';

/** Why calls cannot be pushed to this browser. */
export const PUSH_FAIL_REASON = {
  /** A parameter is missing or malformed. */
  INVALID_PARAM: 'invalid_param',
  /** The browser, or the page's address (it must be https or localhost), has no Web Push. */
  NOT_SUPPORTED: 'not_supported',
  /** The user or the browser's policy denied notifications. */
  NO_PERMISSION_NOTIFICATION: 'no_permission_notification',
  /** The browser's push service refused, or did not answer in time. */
  PUSH_SERVICE_FAIL: 'push_service_fail',
} as const;

/** One of the values of {@link PUSH_FAIL_REASON}. */
export type PushFailReason = (typeof PUSH_FAIL_REASON)[keyof typeof PUSH_FAIL_REASON];

/** Calls cannot be pushed to this browser. */
export class PushError extends Error {
  override readonly name = 'PushError';

  /**
   * @param reason one of {@link PUSH_FAIL_REASON}
   * @param message what is wrong and what helps, for a developer
   */
  constructor(
    readonly reason: PushFailReason,
    message: string,
  ) {
    super(message);
  }
}

/** Parameters of {@link subscribeToCalls}. */
export interface SubscribeParams {
  /** The registration of the service worker that handles the pushes. Default: the one that controls the page. */
  serviceWorker?: ServiceWorkerRegistration | undefined;
  /** The app server's public key: 65 bytes in base64url, the reference app server's answer to `GET /app/push-key`. */
  vapidKey: string;
  /** Ms that the browser's push service may take; default 20,000. Some browsers without one never answer. */
  timeout?: number | undefined;
}

/** What {@link onIncomingCall} is told. */
export interface IncomingCall {
  /** The call, or that it has ended. */
  push: Push;
  /** What the user has done about it in the notification; `'ring'` for an end. */
  action: CallAction;
}

/**
 * Lets calls ring in this browser while no page is open. Call it from a click, since it asks for the permission to show
 * notifications, and again at every start of the page, since browsers renew subscriptions; then hand the result to the app
 * server (`POST /app/subscribe {user_id, subscription}` of the reference one).
 *
 * @throws {PushError} in the promise
 */
export async function subscribeToCalls(params: SubscribeParams): Promise<PushSubscriptionJSON> {
  const { NOT_SUPPORTED, NO_PERMISSION_NOTIFICATION, PUSH_SERVICE_FAIL } = PUSH_FAIL_REASON;
  const applicationServerKey = point(params.vapidKey);
  if (!('PushManager' in globalThis) || !navigator.serviceWorker) {
    throw new PushError(NOT_SUPPORTED, 'No Web Push here: the page must be on https or localhost, and on iOS on the home screen');
  }
  if ((await Notification.requestPermission()) !== 'granted') {
    throw new PushError(NO_PERMISSION_NOTIFICATION, 'Notifications are not allowed: ask from a click, or let the user allow them in the site settings');
  }
  const registration = params.serviceWorker ?? (await navigator.serviceWorker.ready);
  try {
    return await within(params.timeout ?? 20_000, subscribe(registration.pushManager, applicationServerKey));
  } catch (error) {
    throw new PushError(PUSH_SERVICE_FAIL, `The browser's push service gave no subscription: ${String(error)}`);
  }
}

/**
 * Ends the subscription of {@link subscribeToCalls}.
 *
 * @returns its endpoint, for the app server (`POST /app/unsubscribe {endpoint}`); `undefined` when there is none
 */
export async function unsubscribeFromCalls(serviceWorker?: ServiceWorkerRegistration): Promise<string | undefined> {
  const registration = serviceWorker ?? (await navigator.serviceWorker?.getRegistration());
  const subscription = await registration?.pushManager?.getSubscription();
  await subscription?.unsubscribe();
  return subscription?.endpoint;
}

/**
 * Hears of calls that were pushed to this browser: those that ring while the page is open or when it opens, those that the
 * user answered or declined in the notification, and ends. A call may come several times, first with `'ring'`, then with what
 * the user did, and also on the application's own channel: tell calls apart by `sid`. `'answer'` and `'decline'` come to one
 * page only.
 *
 * @returns a function that stops it
 */
export function onIncomingCall(handler: (incoming: IncomingCall) => void): () => void {
  const workers = navigator.serviceWorker;
  if (!workers) {
    return () => {};
  }
  let listening = true;
  const tell = ({ push, action }: Note): void => {
    if (listening) {
      handler({ push, action });
    }
  };
  const hear = async ({ data, ports }: MessageEvent<unknown>): Promise<void> => {
    const note = readNote(data);
    if (note?.duologue === 'push') {
      tell(note);
    } else if (note && (await take(key(note.push.sid), tell))) {
      ports[0]?.postMessage(true);
    }
  };
  workers.addEventListener('message', hear);
  // Messages are kept for a page that is still loading until it asks for them.
  workers.startMessages();
  void recall(workers, tell);
  return () => {
    listening = false;
    workers.removeEventListener('message', hear);
  };
}

/** Takes a call's notification away, because it has been answered or declined in the page. */
export async function closeCallNotification(sid: string): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  for (const notification of (await registration?.getNotifications({ tag: sid })) ?? []) {
    notification.close();
  }
}

/** What happened before the page was there: calls that wait for a page, and those that still ring. */
async function recall(workers: ServiceWorkerContainer, tell: (note: Note) => void): Promise<void> {
  const cache = await caches.open(CACHE);
  for (const request of await cache.keys()) {
    await take(request.url, tell);
  }
  const registration = await workers.getRegistration();
  for (const notification of (await registration?.getNotifications()) ?? []) {
    const note = readNote(notification.data);
    if (note?.push.type === 'call' && !isStale(note.push, RING_TIME)) {
      tell(note);
    }
  }
}

/** Of all pages that try, one takes the call: the one whose deletion finds it. */
async function take(url: string, tell: (note: Note) => void): Promise<boolean> {
  const cache = await caches.open(CACHE);
  const found = await cache.match(url);
  const taken = await cache.delete(url);
  const note = taken && found ? readNote(await found.json().catch(() => undefined)) : undefined;
  if (note?.push.type !== 'call' || isStale(note.push, RING_TIME)) {
    return false;
  }
  tell(note);
  return true;
}

async function subscribe(manager: PushManager, applicationServerKey: Uint8Array<ArrayBuffer>): Promise<PushSubscriptionJSON> {
  const existing = await manager.getSubscription();
  const theirs = existing?.options.applicationServerKey;
  // A subscription for another key gets nothing from this server, and stands in the way of a new one.
  if (theirs && String(new Uint8Array(theirs)) !== String(applicationServerKey)) {
    await existing.unsubscribe();
  }
  return (await manager.subscribe({ userVisibleOnly: true, applicationServerKey })).toJSON();
}

function point(vapidKey: string): Uint8Array<ArrayBuffer> {
  try {
    const text = atob(vapidKey.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    if (bytes.length === 65 && bytes[0] === 4) {
      return bytes;
    }
  } catch {
    // Told below.
  }
  throw new PushError(PUSH_FAIL_REASON.INVALID_PARAM, 'vapidKey must be the 65 bytes of an uncompressed P-256 point in base64url');
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
