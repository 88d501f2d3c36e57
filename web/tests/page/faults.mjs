// What goes wrong, and whether the page says what helps.
import { aliceAndBob, connect } from './calls.mjs';

/** @typedef {import('./world.mjs').World} World */

/** @param {World} world */
export async function microphoneDenied(world) {
  const [alice, bob] = await Promise.all([world.person('alice', { microphone: false }), world.person('bob')]);
  await Promise.all([alice.signIn(), bob.signIn()]);
  await alice.calls('bob');
  await alice.reads('The microphone is not allowed');
  await alice.sees(/Allow the microphone for this page/);
  await alice.isAccessible('microphone denied');
  await alice.context.grantPermissions(['microphone']);
  await alice.button('Try again').click();
  await bob.answers();
  await Promise.all([alice.talksTo('bob'), bob.talksTo('alice')]);
  await bob.hearsLevel('Level of alice');
  await bob.button('Hang up').click();
  await alice.lists('bob', 'Answered');
}

/** @param {World} world */
export async function microphoneDeniedToCallee(world) {
  const [alice, bob] = await Promise.all([world.person('alice'), world.person('bob', { microphone: false })]);
  await Promise.all([alice.signIn(), bob.signIn()]);
  await alice.calls('bob');
  await bob.reads('The microphone is not allowed');
  await bob.sees('Asked by alice: the call is still ringing.');
  await bob.context.grantPermissions(['microphone']);
  await bob.button('Try again').click();
  await bob.answers();
  await Promise.all([alice.talksTo('bob'), bob.talksTo('alice')]);
  await alice.button('Hang up').click();
  await bob.lists('alice', 'Answered');
}

/** @param {World} world */
export async function noMicrophone(world) {
  const alice = await world.person('alice');
  await alice.page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'));
  });
  await alice.page.reload();
  await alice.signIn();
  await alice.calls('bob');
  await alice.reads('No microphone was found');
  await alice.sees(/Connect a microphone or a headset/);
  await alice.button('Dismiss').click();
  await alice.page.getByRole('heading', { name: 'No microphone was found' }).waitFor({ state: 'detached' });
}

/** @param {World} world */
export async function soundBlocked(world) {
  const { alice, bob } = await aliceAndBob(world);
  // The driver's own looking counts as a touch for the browser, hence its policy is rebuilt here: silence before a real touch.
  await bob.page.addInitScript(() => {
    let touched = false;
    addEventListener('pointerdown', (event) => (touched ||= event.isTrusted), { capture: true });
    window.AudioContext = class extends AudioContext {
      get state() {
        return touched ? super.state : 'suspended';
      }
      resume() {
        return touched ? super.resume() : new Promise(() => {});
      }
    };
  });
  await bob.page.reload();
  await bob.isReady();
  await alice.calls('bob');
  await bob.reads('alice is calling');
  await bob.reads('The browser blocks the sound');
  await bob.button('Play sound').click();
  await bob.page.getByRole('heading', { name: 'The browser blocks the sound' }).waitFor({ state: 'detached' });
  await bob.answers();
  await Promise.all([alice.talksTo('bob'), bob.talksTo('alice')]);
  await bob.button('Hang up').click();
  await alice.sees(/has ended/);
}

/** @param {World} world */
export async function serverRestart(world) {
  const { alice, bob } = await aliceAndBob(world);
  alice.expectsFailures = true;
  bob.expectsFailures = true;
  await world.server.kill();
  await Promise.all([alice.sees('Reconnecting: the server does not answer'), bob.sees('Reconnecting: the server does not answer')]);
  await alice.isAccessible('reconnecting');
  await alice.calls('bob');
  await alice.reads('The server cannot be reached');
  await world.server.start();
  await Promise.all([alice.isReady(), bob.isReady()]);
  await alice.sees('Signed in as alice');
  await connect(alice, bob);
  await alice.hearsLevel('Level of bob');
  await alice.button('Hang up').click();
  await bob.lists('alice', 'Answered');
}

/** @param {World} world */
export async function insecure(world) {
  const alice = await world.person('alice', { origin: `http://phone.test:${world.server.port}/` });
  await alice.reads('One more step for this device');
  await alice.sees(/--tls-self-signed/);
  await alice.page.getByRole('link', { name: `https://phone.test:${world.server.port}/` }).waitFor();
  await alice.isAccessible('insecure');
}
