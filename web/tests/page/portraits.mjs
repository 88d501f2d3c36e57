// Pictures for the README: a real call that has lasted a minute, and one that is coming in.

/** @param {import('./world.mjs').World} world */
export async function portraits(world) {
  const small = { width: 360, height: 740, scale: 2 };
  const [alice, haruka, dave, erin] = await Promise.all([
    world.person('alice', { stillness: true, width: 1200, height: 800 }),
    world.person('haruka', { ...small, stillness: true, language: 'ja' }),
    world.person('dave', { scheme: 'dark', stillness: true, width: 1200, height: 800 }),
    world.person('erin', { ...small, stillness: true, scheme: 'dark' }),
  ]);
  await haruka.poses('phone-ja-sign-in');
  await Promise.all([alice, haruka, dave, erin].map((person) => person.signIn()));
  await erin.poses('phone-dark-idle');
  await erin.calls('dave');
  await dave.reads('erin is calling');
  await dave.poses('desktop-dark-incoming');
  await dave.button('Decline').click();
  await erin.sees('dave has declined the call.');

  await alice.calls('haruka');
  await haruka.answers();
  await Promise.all([alice.talksTo('haruka'), haruka.talksTo('alice')]);
  await alice.page.getByRole('timer').filter({ hasText: '1:02' }).waitFor({ timeout: 100_000 });
  await alice.poses('desktop-light-call');
  await haruka.poses('phone-ja-call');
  await alice.button('Dark theme').click();
  await alice.button('Hold').click();
  await alice.page.getByLabel('Reason (optional)').fill('someone at the door');
  await alice.button('Put on hold').click();
  await haruka.sees(/someone at the door/);
  await haruka.poses('phone-ja-on-hold');
  await haruka.button('終了').click();
  await alice.lists('haruka', 'Answered');
}
