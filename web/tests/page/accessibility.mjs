// Every state of the page, checked with axe and photographed.
import { connect } from './calls.mjs';

/** @typedef {import('./world.mjs').World} World */
/** @typedef {import('./person.mjs').Person} Person */

/** @param {World} world */
export const lightEnglish = (world) => walk(world, 'desktop-light', {});

/** @param {World} world */
export const darkJapanese = (world) => walk(world, 'desktop-dark-ja', { language: 'ja', scheme: 'dark' });

/** @param {World} world */
export const phone = (world) => walk(world, 'phone-light', { width: 360, height: 740, scale: 2 });

/** @param {World} world */
export const phoneDarkJapanese = (world) =>
  walk(world, 'phone-dark-ja', { language: 'ja', scheme: 'dark', width: 360, height: 740, scale: 2 });

/**
 * @param {World} world
 * @param {string} look name for pictures
 * @param {import('./person.mjs').Settings} settings
 */
async function walk(world, look, settings) {
  const [alice, bob] = await Promise.all([world.person('alice', { ...settings, stillness: true }), world.person('bob')]);
  const check = async (/** @type {string} */ state) => {
    await alice.isAccessible(`${look}, ${state}`);
    await alice.poses(`${look}-${state}`, state === 'idle');
  };
  await check('signed-out');
  await Promise.all([alice.signIn(), bob.signIn()]);

  await bob.calls('alice');
  await alice.reads(alice.words.incomingFrom('bob'));
  await check('incoming');
  await alice.button(alice.words.decline).click();
  await bob.sees('alice has declined the call.');
  await alice.calls('bob');
  await alice.reads(alice.words.calling('bob'));
  await check('outgoing');
  await alice.button(alice.words.cancel).click();
  await bob.sees('You missed a call from alice.');

  await connect(alice, bob);
  await alice.hearsLevel(alice.words.levelOf('bob'));
  await alice.page.getByRole('img', { name: /kbit\/s/ }).waitFor();
  await alice.poses(`${look}-connected`);
  await check('in-call');
  await alice.button(alice.words.hold).click();
  await check('hold-form');
  await alice.page.getByLabel(alice.words.holdReason).fill('a parcel');
  await alice.button(alice.words.holdConfirm).click();
  await alice.button(alice.words.resume).waitFor();
  await check('held');
  await alice.button(alice.words.resume).click();
  await alice.button(alice.words.mute).click();
  await bob.button('Hold').click();
  await bob.page.getByLabel('Reason (optional)').fill('someone at the door');
  await bob.button('Put on hold').click();
  await alice.sees(/someone at the door/);
  await check('on-hold-and-muted');
  await bob.button('Hang up').click();
  await alice.lists('bob', /\d:\d\d/);
  await check('idle');
}
