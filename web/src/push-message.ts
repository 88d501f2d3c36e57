/** What the app server pushes, and what service worker and pages tell each other of it. Needs neither's globals. */

/** Somebody is calling, as the app server pushes it. */
export interface CallPush {
  type: 'call';
  /** The call's id, a UUID in its 36-character text form. */
  sid: string;
  /** The callee: the user of this device. */
  app_callee_uid: string;
  /** The callee's service. */
  app_callee_sid: string;
  /** `'audio'`. */
  app_call_type: string;
  /** What `verifyCall` takes as `ccParam`. */
  cc_param: string;
  /** Who calls. */
  app_caller_uid: string;
  /** The caller's service. */
  app_caller_sid: string;
  /** The caller's text for the app server, if that passes it on. */
  app_svr_data?: string;
  /** When it was pushed, Unix time in seconds; only in Web Push. */
  pushed_at?: number;
}

/** The call has ended: stop ringing. A call that was answered here is not ended by this. */
export interface CancelPush {
  type: 'cancel';
  /** The call's id. */
  sid: string;
  /** Only in Web Push: whether nobody took the call, on any device. */
  missed?: boolean;
}

/** What the app server pushes. */
export type Push = CallPush | CancelPush;

/**
 * What the user has done about a call: `'ring'` nothing yet, or opened the notification; `'answer'` and `'decline'` are the
 * notification's buttons.
 */
export type CallAction = 'ring' | 'answer' | 'decline';

/** How long a call rings, in ms, when nothing else is said; the app server's push services keep a call as long. */
export const RING_TIME = 60_000;

/** Where the worker leaves a call for the page that takes it. Being same-origin, nobody else can put one there. */
export const CACHE = 'duologue-calls';

/** What the worker posts to pages, and keeps in the notification and in the cache. */
export interface Note {
  /** `push`: news for every page. `take`: one call waits in the cache for the page that takes it. */
  duologue: 'push' | 'take';
  push: Push;
  action: CallAction;
}

const NEEDED = ['app_callee_uid', 'app_callee_sid', 'app_call_type', 'cc_param', 'app_caller_uid', 'app_caller_sid'];

/** Reads a push; `undefined` when it is none of ours. */
export function readPush(value: unknown): Push | undefined {
  const push = (value ?? {}) as Record<string, unknown>;
  const isText = (name: string): boolean => typeof push[name] === 'string' && push[name] !== '';
  if (!isText('sid')) {
    return undefined;
  }
  if (push['type'] === 'cancel') {
    return value as CancelPush;
  }
  return push['type'] === 'call' && NEEDED.every(isText) ? (value as CallPush) : undefined;
}

/** Reads a note; `undefined` when it is another message of the application. */
export function readNote(value: unknown): Note | undefined {
  const note = (value ?? {}) as Partial<Note>;
  const known = note.duologue === 'push' || note.duologue === 'take';
  return known && readPush(note.push) !== undefined ? (note as Note) : undefined;
}

/** Whether a call rings no more, by the clocks of server and device. */
export function isStale(push: CallPush, ringTime: number): boolean {
  return typeof push.pushed_at === 'number' && Date.now() - push.pushed_at * 1_000 > ringTime;
}

/** The cache's key of a call. It is never requested. */
export function key(sid: string): string {
  return `/.duologue/${encodeURIComponent(sid)}`;
}
