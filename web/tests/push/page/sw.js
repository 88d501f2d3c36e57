// The application's service worker: the product's helper, and a word to the test about what came in and when.
import { handleCallNotificationClick, handleCallPush } from '@duologue/web/service-worker';

const options = {
  texts: (call) => ({ title: `Call from ${call.app_caller_uid}`, body: 'Duologue', answer: 'Answer', decline: 'Decline' }),
  // Only when asked for: without it a call that has ended leaves nothing behind.
  missed: location.search ? (call) => ({ title: `Missed call from ${call.app_caller_uid}` }) : undefined,
};
const channel = new BroadcastChannel('push-test');

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));

addEventListener('push', (event) => {
  const at = Date.now();
  const work = [];
  // What the helper has the browser wait for is waited for here too.
  const spied = { data: event.data, waitUntil: (promise) => (work.push(promise), event.waitUntil(promise)) };
  const ours = handleCallPush(spied, options);
  channel.postMessage({ name: 'push', at, ours, text: event.data?.text() });
  event.waitUntil(Promise.all(work).then(() => channel.postMessage({ name: 'handled' })));
});

addEventListener('notificationclick', (event) => {
  channel.postMessage({ name: 'click', ours: handleCallNotificationClick(event, options), action: event.action });
});
