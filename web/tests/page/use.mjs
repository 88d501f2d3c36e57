// Ways to use the page: keys, languages, themes, input that is wrong.
import assert from 'node:assert/strict';

import { aliceAndBob, connect } from './calls.mjs';

/** @typedef {import('./world.mjs').World} World */

/**
 * Nobody touches a mouse, from signing in to hanging up.
 * @param {World} world
 */
export async function keyboard(world) {
  const [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
  for (const person of [alice, bob]) {
    const field = person.page.getByLabel('Your name', { exact: true });
    await person.tabsTo(field);
    await person.presses('ControlOrMeta+a');
    await person.page.keyboard.type(person.name);
    await person.presses('Enter');
    await person.isReady();
  }
  const peer = alice.page.getByLabel('Name to call', { exact: true });
  await alice.tabsTo(peer);
  await alice.page.keyboard.type('bob');
  await alice.presses('Enter');
  await bob.reads('alice is calling');
  await bob.tabsTo(bob.button('Answer'));
  await hasVisibleFocus(bob);
  await bob.presses('Enter');
  await Promise.all([alice.talksTo('bob'), bob.talksTo('alice')]);
  await alice.tabsTo(alice.button('Mute'));
  await alice.presses('Space');
  await bob.sees('alice is muted');
  await alice.presses('Space');
  await alice.tabsTo(alice.button('Hold'));
  await alice.presses('Enter');
  await alice.page.keyboard.type('tea');
  await alice.presses('Enter');
  await bob.sees('alice has put you on hold: tea');
  await alice.presses('Enter');
  await bob.page.getByRole('listitem').filter({ hasText: 'on hold' }).waitFor({ state: 'detached' });
  await alice.tabsTo(alice.button('Hang up'));
  await alice.presses('Enter');
  await bob.lists('alice', 'Answered');
  await alice.lists('bob', 'Answered');
  assert.ok(await peer.evaluate((field) => field === document.activeElement), 'after the call the focus is on the name to call');
}

/** @param {import('./person.mjs').Person} person */
async function hasVisibleFocus(person) {
  const outline = await person.page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(/** @type {Element} */ (document.activeElement));
    return { outlineStyle, width: Number.parseFloat(outlineWidth) };
  });
  assert.ok(outline.outlineStyle !== 'none' && outline.width >= 2, `focus is not visible: ${JSON.stringify(outline)}`);
}

/** @param {World} world */
export async function escape(world) {
  const { alice, bob } = await aliceAndBob(world);
  // Who is typing must neither answer nor decline by accident.
  await bob.page.getByLabel('Name to call').pressSequentially('car');
  await alice.calls('bob');
  await bob.reads('alice is calling');
  await bob.presses('Enter');
  await bob.button('Answer').and(bob.page.locator(':enabled')).waitFor();
  await bob.presses('Escape');
  await alice.sees('bob has declined the call.');
  await bob.lists('alice', 'Declined');
  assert.equal(await bob.page.getByLabel('Name to call').inputValue(), 'car', 'what was typed before the call is kept');
}

/** @param {World} world */
export async function languageAndTheme(world) {
  const [alice, bob] = await Promise.all([world.person('alice'), world.person('bob', { language: 'ja', scheme: 'dark' })]);
  await alice.reads('Who are you today?');
  await alice.button('日本語').click();
  await alice.reads('お名前を教えてください');
  assert.equal(await alice.page.locator('html').getAttribute('lang'), 'ja');
  await alice.page.reload();
  await alice.reads('お名前を教えてください');
  await alice.button('English').click();
  await alice.signIn();
  await alice.button('Dark theme').click();
  const ground = () => alice.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await alice.page.reload();
  await alice.isReady();
  assert.equal(await ground(), dark, 'the theme is remembered');
  await alice.button('Light theme').click();
  assert.notEqual(await ground(), dark);

  await bob.signIn();
  await connect(alice, bob);
  await bob.button('ミュート').click();
  await alice.sees('bob is muted');
  // A call goes on while the language changes.
  await bob.button('English').click();
  await bob.button('Unmute').click();
  await alice.hearsLevel('Level of bob');
  await bob.button('Hang up').click();
  await alice.sees(/has ended/);

  const carol = await world.person('carol', { query: '?lang=ja&as=carol' });
  await carol.reads('電話をかける');
  await carol.sees('carol としてサインイン中');
}

/**
 * Other devices in the middle of a call; the choice is remembered.
 * @param {World} world
 */
export async function devices(world) {
  const { alice, bob } = await aliceAndBob(world);
  await connect(alice, bob);
  await alice.page.evaluate(() => {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const opened = (/** @type {any} */ (window).opened = []);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await real(constraints);
      opened.push(stream.getAudioTracks()[0]?.label);
      return stream;
    };
  });
  const microphone = alice.by('combobox', 'Microphone');
  const speaker = alice.by('combobox', 'Speaker');
  await microphone.selectOption('Fake Audio Input 2');
  await alice.page.waitForFunction(() => /** @type {any} */ (window).opened.includes('Fake Audio Input 2'));
  await speaker.selectOption('Fake Audio Output 2');
  await alice.page.waitForFunction(async () => {
    const outputs = await navigator.mediaDevices.enumerateDevices();
    const { sinkId } = /** @type {HTMLAudioElement} */ (document.querySelector('audio'));
    return outputs.some(({ deviceId, label }) => deviceId === sinkId && label === 'Fake Audio Output 2');
  });
  await bob.hearsLevel('Level of alice');
  await microphone.selectOption('System default');
  await bob.hearsLevel('Level of alice');
  await microphone.selectOption('Fake Audio Input 2');
  await alice.button('Hang up').click();
  await alice.lists('bob', 'Answered');
  assert.equal(await alice.page.getByRole('region', { name: 'Problem' }).count(), 0);
  await alice.page.reload();
  await alice.isReady();
  await alice.by('combobox', 'Microphone').locator('option:checked', { hasText: 'Fake Audio Input 2' }).waitFor({ state: 'attached' });
}

/** @param {World} world */
export async function names(world) {
  const alice = await world.person('alice');
  const name = alice.page.getByLabel('Your name', { exact: true });
  assert.match(await name.inputValue(), /^[a-z]{6,}$/, 'a name is suggested');
  await name.fill('  ');
  await alice.button('Sign in').click();
  await alice.sees('Enter a name first.');
  await name.fill('<b>alice</b>');
  await alice.button('Sign in').click();
  await alice.sees(/A name has at most 64 letters/);
  await alice.signIn();
  const peer = alice.page.getByLabel('Name to call', { exact: true });
  await alice.button('Call').click();
  await alice.sees('Enter the name of the person to call.');
  await peer.fill('alice');
  await peer.press('Enter');
  await alice.sees('This is your own name. Call somebody else.');
  await peer.fill('bob smith');
  await peer.press('Enter');
  await alice.sees(/A name has at most 64 letters/);
  await alice.button('Sign out').click();
  await alice.reads('Who are you today?');
  await alice.page.reload();
  await alice.reads('Who are you today?');
}
