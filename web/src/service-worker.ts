/**
 * Incoming calls by Web Push, the service worker's half. In the application's service worker:
 *
 * ```js
 * import { handleCallNotificationClick, handleCallPush } from '@duologue/web/service-worker';
 * const options = { texts: (call) => ({ title: `${call.app_caller_uid} is calling`, answer: 'Answer', decline: 'Decline' }) };
 * addEventListener('push', (event) => { handleCallPush(event, options) || myOwnPush(event); });
 * addEventListener('notificationclick', (event) => { handleCallNotificationClick(event, options) || myOwnClick(event); });
 * ```
 */

import { CACHE, RING_TIME, isStale, key, readNote, readPush, type CallAction, type CallPush, type CancelPush, type Note } from './push-message.js';

export type { CallAction, CallPush } from './push-message.js';

declare const self: ServiceWorkerGlobalScope;

/** How long a page that was focused for a call may take to take it, in ms, before another page is tried. */
const TAKE_TIME = 1_500;

/** Texts of a call's notification. */
export interface CallTexts {
  /** First line. */
  title: string;
  /** Second line. */
  body?: string;
  /** The button that answers. */
  answer: string;
  /** The button that declines. */
  decline: string;
}

/** How calls are shown. Give the same to all functions. */
export interface CallWorkerOptions {
  /** Texts of a ringing call; default: English, with the caller's user id. */
  texts?: (call: CallPush) => CallTexts;
  /**
   * Texts of the notice that replaces the notification of a call that nobody took. Default: the notification is only
   * closed, which browsers that want every push to be seen may fill with a notice of their own.
   */
  missed?: (call: CallPush) => { title: string; body?: string };
  /** The page that is opened when none is open; default: the worker's scope. */
  url?: string;
  /** Picture of the notification. */
  icon?: string;
  /** Small monochrome picture, where there is no room for another. */
  badge?: string;
  /** Ms that a call rings; default 60,000. Older pushes do not ring, by the clocks of app server and device. */
  ringTime?: number;
}

/** Not all of it is in TypeScript's library. */
interface ShownOptions extends NotificationOptions {
  actions?: { action: string; title: string }[];
  renotify?: boolean;
  vibrate?: number[];
}

/**
 * Shows a call that was pushed, takes it away when it has ended, and tells the pages that are open.
 *
 * @returns false when the push is not a call; then nothing has been done
 */
export function handleCallPush(event: PushEvent, options: CallWorkerOptions = {}): boolean {
  const push = readPush(parsed(event));
  if (!push) {
    return false;
  }
  event.waitUntil(push.type === 'call' ? ring(push, options) : cancel(push, options));
  return true;
}

/**
 * Hands a call whose notification was clicked to a page, which is focused or opened. The page hears of it by
 * `onIncomingCall`.
 *
 * @returns false when the notification is not a call's; then nothing has been done
 */
export function handleCallNotificationClick(event: NotificationEvent, options: CallWorkerOptions = {}): boolean {
  const { notification, action } = event;
  const note = readNote(notification.data);
  if (note?.push.type !== 'call') {
    return false;
  }
  notification.close();
  event.waitUntil(hand(note.push, action === 'answer' || action === 'decline' ? action : 'ring', options));
  return true;
}

async function ring(call: CallPush, options: CallWorkerOptions): Promise<void> {
  if (isStale(call, options.ringTime ?? RING_TIME)) {
    return missed(call, options);
  }
  const note: Note = { duologue: 'push', push: call, action: 'ring' };
  // The pages first: one of them may be in the middle of its own ringing, and showing takes a while.
  await tellPages(note);
  const { title, body, answer, decline } = options.texts?.(call) ?? {
    title: `${call.app_caller_uid} is calling`,
    answer: 'Answer',
    decline: 'Decline',
  };
  await show(title, body, call.sid, options, {
    data: note,
    actions: [
      { action: 'answer', title: answer },
      { action: 'decline', title: decline },
    ],
    requireInteraction: true,
    renotify: true,
    vibrate: [600, 400, 600, 400, 600],
  });
}

async function cancel(push: CancelPush, options: CallWorkerOptions): Promise<void> {
  await tellPages({ duologue: 'push', push, action: 'ring' });
  await (await caches.open(CACHE)).delete(key(push.sid));
  for (const notification of await self.registration.getNotifications({ tag: push.sid })) {
    const note = readNote(notification.data);
    notification.close();
    // Taken on another device, it has not been missed.
    if (note?.push.type === 'call' && push.missed !== false) {
      await missed(note.push, options);
    }
  }
}

async function missed(call: CallPush, options: CallWorkerOptions): Promise<void> {
  const texts = options.missed?.(call);
  if (texts) {
    await show(texts.title, texts.body, call.sid, options, { silent: true });
  }
}

async function show(title: string, body: string | undefined, tag: string, { icon, badge }: CallWorkerOptions, rest: ShownOptions): Promise<void> {
  const shown: ShownOptions = { tag, ...rest };
  // An undefined member would be taken for the text "undefined".
  Object.assign(shown, body && { body }, icon && { icon }, badge && { badge });
  await self.registration.showNotification(title, shown);
}

/** Gives the call to one page: the last one used, or another one that takes it, or a new one. */
async function hand(call: CallPush, action: CallAction, options: CallWorkerOptions): Promise<void> {
  const stale = isStale(call, options.ringTime ?? RING_TIME);
  const note: Note = { duologue: 'take', push: call, action };
  const cache = await caches.open(CACHE);
  if (!stale) {
    await cache.put(key(call.sid), new Response(JSON.stringify(note)));
  }
  for (const page of await pages()) {
    // A browser may refuse the focus; the call still goes to the page.
    const focused = page.focus().catch(() => page);
    if (stale || (await taken(page, note))) {
      await focused;
      return;
    }
  }
  await self.clients.openWindow(options.url ?? self.registration.scope);
}

/** Whether the page takes the call. One that does not listen, or is frozen, does not answer. */
function taken(page: WindowClient, note: Note): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), TAKE_TIME);
    port1.onmessage = () => {
      clearTimeout(timer);
      resolve(true);
    };
    page.postMessage(note, [port2]);
  });
}

async function tellPages(note: Note): Promise<void> {
  for (const page of await pages()) {
    page.postMessage(note);
  }
}

/** Pages of this application, the last one used first. */
async function pages(): Promise<WindowClient[]> {
  const all = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return all.filter(({ url }) => url.startsWith(self.registration.scope));
}

function parsed(event: PushEvent): unknown {
  try {
    return event.data?.json() as unknown;
  } catch {
    return undefined;
  }
}
