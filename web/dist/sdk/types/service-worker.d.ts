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
import { type CallPush } from './push-message.js';
export type { CallAction, CallPush } from './push-message.js';
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
    missed?: (call: CallPush) => {
        title: string;
        body?: string;
    };
    /** The page that is opened when none is open; default: the worker's scope. */
    url?: string;
    /** Picture of the notification. */
    icon?: string;
    /** Small monochrome picture, where there is no room for another. */
    badge?: string;
    /** Ms that a call rings; default 60,000. Older pushes do not ring, by the clocks of app server and device. */
    ringTime?: number;
}
/**
 * Shows a call that was pushed, takes it away when it has ended, and tells the pages that are open.
 *
 * @returns false when the push is not a call; then nothing has been done
 */
export declare function handleCallPush(event: PushEvent, options?: CallWorkerOptions): boolean;
/**
 * Hands a call whose notification was clicked to a page, which is focused or opened. The page hears of it by
 * `onIncomingCall`.
 *
 * @returns false when the notification is not a call's; then nothing has been done
 */
export declare function handleCallNotificationClick(event: NotificationEvent, options?: CallWorkerOptions): boolean;
