/** The page's service worker: shows calls that come by Web Push, and hands them to the page. */
import { type CallWorkerOptions, handleCallNotificationClick, handleCallPush } from '../src/service-worker.ts';
import { languageOf, setLanguage, translate } from './strings.ts';

declare const self: ServiceWorkerGlobalScope;

// The choice made in the page lies in a store that workers have no access to.
setLanguage(languageOf(navigator.language));

const options: CallWorkerOptions = {
  url: '/',
  icon: '/icon.svg',
  texts: (call) => ({
    title: translate('incomingFrom', { name: call.app_caller_uid }),
    body: translate('notifyBody', { name: call.app_callee_uid }),
    answer: translate('answer'),
    decline: translate('decline'),
  }),
  missed: (call) => ({ title: translate('endedMissed', { name: call.app_caller_uid }) }),
};

self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('push', (event) => {
  handleCallPush(event, options);
});
self.addEventListener('notificationclick', (event) => {
  handleCallNotificationClick(event, options);
});
