// Every scenario by its name.
import * as accessibility from './accessibility.mjs';
import * as calls from './calls.mjs';
import * as faults from './faults.mjs';
import * as push from './push.mjs';
import * as use from './use.mjs';

/** @type {Record<string, (world: import('./world.mjs').World) => Promise<void>>} */
export const SCENARIOS = {
  'call from sign-in to hang-up': calls.whole,
  'a call is declined': calls.declined,
  'a call is missed, and called back from the list': calls.missed,
  'a call to somebody who is not there': calls.nobody,
  'a second caller finds the line busy': calls.busy,
  'two callers at once': calls.twoCallers,
  'a call by the keyboard alone': use.keyboard,
  'Escape declines': use.escape,
  'language and theme are chosen and remembered': use.languageAndTheme,
  'other devices in the middle of a call': use.devices,
  'names that cannot be': use.names,
  'the microphone is denied': faults.microphoneDenied,
  'the microphone is denied to the callee': faults.microphoneDeniedToCallee,
  'there is no microphone': faults.noMicrophone,
  'the browser blocks sound': faults.soundBlocked,
  'the server stops and comes back': faults.serverRestart,
  'a call by Web Push, answered on a second device': push.secondDevice,
  'notifications in a browser without a push service': push.refused,
  'plain HTTP from another machine': faults.insecure,
  'accessible in every state, light and English': accessibility.lightEnglish,
  'accessible in every state, dark and Japanese': accessibility.darkJapanese,
  'accessible in every state on a phone': accessibility.phone,
  'accessible in every state on a phone, dark and Japanese': accessibility.phoneDarkJapanese,
};
