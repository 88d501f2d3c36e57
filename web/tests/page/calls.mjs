// Calls as people make them.
import assert from 'node:assert/strict';

/** @typedef {import('./world.mjs').World} World */

/**
 * Alice and Bob, signed in.
 * @param {World} world
 */
export async function aliceAndBob(world) {
  const [alice, bob] = await Promise.all([world.person('alice'), world.person('bob')]);
  await Promise.all([alice.signIn(), bob.signIn()]);
  return { alice, bob };
}

/**
 * Alice calls Bob, who answers.
 * @param {import('./person.mjs').Person} alice
 * @param {import('./person.mjs').Person} bob
 */
export async function connect(alice, bob) {
  await alice.calls(bob.name);
  await bob.reads(bob.words.incomingFrom(alice.name));
  await bob.answers();
  await Promise.all([alice.talksTo(bob.name), bob.talksTo(alice.name)]);
}

/** @param {World} world */
export async function whole(world) {
  const { alice, bob } = await aliceAndBob(world);
  await alice.calls('bob');
  await alice.reads('Calling bob');
  await alice.sees('Ringing…');
  await bob.reads('alice is calling');
  await bob.answers();
  await Promise.all([alice.talksTo('bob'), bob.talksTo('alice')]);

  await Promise.all([alice.hearsLevel('Level of bob'), bob.hearsLevel('Level of alice'), alice.hearsLevel('Your level')]);
  await alice.sees(/Packets: [1-9]\d* sent, [1-9]\d* received/);
  await alice.page.getByRole('img', { name: /^Bitrate: [1-9]\d* kbit\/s now/ }).waitFor();
  await alice.page.getByRole('img', { name: /^Network quality: (excellent|good|fair|poor|bad)$/ }).waitFor();
  await alice.page.getByRole('timer').filter({ hasText: /0:0[1-9]/ }).waitFor();

  await bob.button('Mute').click();
  await alice.sees('bob is muted');
  await bob.sees('Your microphone is muted');
  await alice.hearsSilence('Level of bob');
  await bob.button('Unmute').click();
  await alice.hearsLevel('Level of bob');
  assert.equal(await alice.page.getByRole('listitem').filter({ hasText: 'bob is muted' }).count(), 0);

  await alice.button('Hold').click();
  await alice.page.getByLabel('Reason (optional)').fill('someone at the door');
  await alice.button('Put on hold').click();
  await alice.sees('You have put the call on hold');
  await bob.sees('alice has put you on hold: someone at the door');
  await alice.button('Resume').click();
  await bob.page.getByRole('listitem').filter({ hasText: 'on hold' }).waitFor({ state: 'detached' });
  await alice.hearsLevel('Level of bob');
  await bob.hearsLevel('Level of alice');

  await bob.button('Hang up').click();
  await alice.sees(/The call with bob has ended \(\d+:\d\d\)/);
  await alice.lists('bob', /Outgoing.*Answered · .* · \d+:\d\d/);
  await bob.lists('alice', /Incoming.*Answered · .* · \d+:\d\d/);
}

/** @param {World} world */
export async function declined(world) {
  const { alice, bob } = await aliceAndBob(world);
  await alice.calls('bob');
  await bob.button('Decline').click();
  await alice.sees('bob has declined the call.');
  await bob.sees('You declined the call from alice.');
  await alice.lists('bob', 'Declined');
  await bob.lists('alice', 'Declined');
}

/** @param {World} world */
export async function missed(world) {
  const { alice, bob } = await aliceAndBob(world);
  await alice.calls('bob');
  await bob.reads('alice is calling');
  await alice.sees('Ringing…');
  await alice.button('Cancel').click();
  await bob.sees('You missed a call from alice.');
  await alice.lists('bob', 'Cancelled');
  await bob.lists('alice', 'Missed');
  await bob.page.reload();
  await bob.isReady();
  await bob.lists('alice', 'Missed');
  await bob.button('Call alice').click();
  await alice.reads('bob is calling');
  await alice.answers();
  await Promise.all([alice.talksTo('bob'), bob.talksTo('alice')]);
  await alice.hearsLevel('Level of bob');
  await bob.button('Hang up').click();
  await alice.lists('bob', /Incoming.*Answered/);
}

/** @param {World} world */
export async function nobody(world) {
  const alice = await world.person('alice');
  await alice.signIn();
  await alice.calls('nobody-here');
  await alice.sees('nobody-here is not signed in anywhere.');
  await alice.lists('nobody-here', 'Not reachable');
}

/** @param {World} world */
export async function busy(world) {
  const { alice, bob } = await aliceAndBob(world);
  const carol = await world.person('carol');
  await carol.signIn();
  await connect(alice, bob);
  await carol.calls('bob');
  await carol.sees('bob is in another call.');
  await carol.lists('bob', 'Busy');
  await bob.hearsLevel('Level of alice');
  await alice.button('Hang up').click();
  await bob.lists('alice', 'Answered');
}

/**
 * A call that comes while another one rings waits, and is not lost.
 * @param {World} world
 */
export async function twoCallers(world) {
  const { alice, bob } = await aliceAndBob(world);
  const [carol, dave] = await Promise.all([world.person('carol'), world.person('dave')]);
  await Promise.all([carol.signIn(), dave.signIn()]);
  await alice.calls('bob');
  await bob.reads('alice is calling');
  await Promise.all([carol.calls('bob'), dave.calls('bob')]);
  await Promise.all([carol.sees('Ringing…'), dave.sees('Ringing…')]);
  await dave.button('Cancel').click();
  await dave.lists('bob', 'Cancelled');
  await bob.button('Decline').click();
  await alice.sees('bob has declined the call.');
  await bob.reads('carol is calling');
  await bob.answers();
  await Promise.all([carol.talksTo('bob'), bob.talksTo('carol')]);
  await carol.hearsLevel('Level of bob');
  await bob.button('Hang up').click();
  await bob.lists('carol', 'Answered');
  await bob.page.getByRole('listitem').filter({ hasText: 'dave' }).filter({ hasText: 'Missed' }).waitFor();
}
