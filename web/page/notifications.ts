/** Calls that ring while no tab is open: by Web Push and the service worker of the page. */
import { type IncomingCall, PUSH_FAIL_REASON, PushError, onIncomingCall, subscribeToCalls, unsubscribeFromCalls } from '../src/push.ts';
import { pushKey, subscribe, unsubscribe } from './app-server.ts';
import { Emitter } from './emitter.ts';
import { notifiedName, rememberNotified } from './store.ts';

/** Whether calls are pushed to this browser. */
export type NotificationState = 'unsupported' | 'denied' | 'off' | 'busy' | 'on';

/** Turns Web Push on and off for one user, and hands on what comes from it. */
export class Notifications extends Emitter {
  #state: NotificationState = 'off';
  #fault: string | undefined;
  #user: string | undefined;
  #registration: ServiceWorkerRegistration | undefined;
  readonly #deliver: (incoming: IncomingCall) => void;

  /** `deliver` gets the calls that came by Web Push, and what the user did in the notification. */
  constructor(deliver: (incoming: IncomingCall) => void) {
    super();
    this.#deliver = deliver;
  }

  /** Whether calls are pushed. */
  get state(): NotificationState {
    return this.#state;
  }

  /** Why the last attempt failed. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Begins for `user`; turns on by itself what this user had turned on before. */
  async start(user: string): Promise<void> {
    const first = this.#user === undefined;
    this.#user = user;
    if (!('PushManager' in window) || !('serviceWorker' in navigator)) {
      this.#set('unsupported');
      return;
    }
    this.#set(Notification.permission === 'denied' ? 'denied' : 'off');
    try {
      this.#registration ??= await navigator.serviceWorker.register('/sw.js');
    } catch (error) {
      this.#set('off', String(error));
      return;
    }
    if (first) {
      onIncomingCall(this.#deliver);
    }
    // Browsers renew subscriptions, hence again at every start.
    if (notifiedName() === user && Notification.permission === 'granted') {
      await this.turnOn();
    }
  }

  /** Asks for the permission and subscribes; to be called from a click. */
  async turnOn(): Promise<void> {
    const user = this.#user;
    if (user === undefined || this.#state === 'busy') {
      return;
    }
    this.#set('busy');
    try {
      const vapidKey = await pushKey();
      await subscribe(user, await subscribeToCalls({ vapidKey, serviceWorker: this.#registration }));
      rememberNotified(user);
      this.#set('on');
    } catch (error) {
      const denied = error instanceof PushError && error.reason === PUSH_FAIL_REASON.NO_PERMISSION_NOTIFICATION;
      this.#set(denied ? 'denied' : 'off', error instanceof Error ? error.message : String(error));
    }
  }

  /** Ends the subscription, here and at the app server. */
  async turnOff(): Promise<void> {
    if (this.#state !== 'on') {
      return;
    }
    rememberNotified(undefined);
    this.#set('off');
    try {
      const endpoint = await unsubscribeFromCalls(this.#registration);
      if (endpoint !== undefined) {
        await unsubscribe(endpoint);
      }
    } catch (error) {
      // The app server forgets the subscription when the push service says that it is gone.
      console.warn(error);
    }
  }

  #set(state: NotificationState, fault?: string): void {
    this.#state = state;
    this.#fault = fault;
    this.changed();
  }
}
