/** Incoming calls by Web Push, the page's half; the other half is `@duologue/web/service-worker`. */
import { type CallAction, type Push } from './push-message.js';
export type { CallAction, CallPush, CancelPush, Push } from './push-message.js';
/** Why calls cannot be pushed to this browser. */
export declare const PUSH_FAIL_REASON: {
    /** A parameter is missing or malformed. */
    readonly INVALID_PARAM: 'invalid_param';
    /** The browser, or the page's address (it must be https or localhost), has no Web Push. */
    readonly NOT_SUPPORTED: 'not_supported';
    /** The user or the browser's policy denied notifications. */
    readonly NO_PERMISSION_NOTIFICATION: 'no_permission_notification';
    /** The browser's push service refused, or did not answer in time. */
    readonly PUSH_SERVICE_FAIL: 'push_service_fail';
};
/** One of the values of {@link PUSH_FAIL_REASON}. */
export type PushFailReason = (typeof PUSH_FAIL_REASON)[keyof typeof PUSH_FAIL_REASON];
/** Calls cannot be pushed to this browser. */
export declare class PushError extends Error {
    readonly reason: PushFailReason;
    readonly name = "PushError";
    /**
     * @param reason one of {@link PUSH_FAIL_REASON}
     * @param message what is wrong and what helps, for a developer
     */
    constructor(reason: PushFailReason, message: string);
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
export declare function subscribeToCalls(params: SubscribeParams): Promise<PushSubscriptionJSON>;
/**
 * Ends the subscription of {@link subscribeToCalls}.
 *
 * @returns its endpoint, for the app server (`POST /app/unsubscribe {endpoint}`); `undefined` when there is none
 */
export declare function unsubscribeFromCalls(serviceWorker?: ServiceWorkerRegistration): Promise<string | undefined>;
/**
 * Hears of calls that were pushed to this browser: those that ring while the page is open or when it opens, those that the
 * user answered or declined in the notification, and ends. A call may come several times, first with `'ring'`, then with what
 * the user did, and also on the application's own channel: tell calls apart by `sid`. `'answer'` and `'decline'` come to one
 * page only.
 *
 * @returns a function that stops it
 */
export declare function onIncomingCall(handler: (incoming: IncomingCall) => void): () => void;
/** Takes a call's notification away, because it has been answered or declined in the page. */
export declare function closeCallNotification(sid: string): Promise<void>;
