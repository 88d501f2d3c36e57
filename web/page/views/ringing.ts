/** The screens before a call: ringing there, ringing here. */
import type { Alerts } from '../alerts.ts';
import { avatar, button, h } from '../dom.ts';
import type { CallState } from '../call-state.ts';
import type { Phone } from '../phone.ts';
import { type Key, translate } from '../strings.ts';
import type { View } from './view.ts';

const progress: Partial<Record<CallState['phase'], Key>> = {
  starting: 'callStarting',
  trying: 'callTrying',
  ringing: 'callRinging',
};

/** A call that this page makes. */
export function outgoingView(phone: Phone, peer: string): View {
  const state = h('p', { class: 'call-state' });
  const element = h(
    'section',
    { class: 'stage call-stage calling', 'aria-labelledby': 'stage-title' },
    h('div', { class: 'halo' }, avatar(peer, 'large')),
    h('h1', { id: 'stage-title', tabindex: -1 }, translate('calling', { name: peer })),
    state,
    h('div', { class: 'controls' }, button(translate('cancel'), 'hangUp', 'control stop', () => phone.hangUp())),
  );
  const update = (): void => {
    const key = phone.call && progress[phone.call.phase];
    state.textContent = key === undefined ? '' : translate(key);
  };
  update();
  return { element, update };
}

/** A call that comes in. */
export function incomingView(phone: Phone, alerts: Alerts, peer: string): View {
  const state = h('p', { class: 'call-state' });
  const decline = button(translate('decline'), 'hangUp', 'control stop', () => phone.hangUp());
  const answer = button(translate('answer'), 'phone', 'control go', () => {
    void alerts.unlockSound();
    phone.answer();
  });
  const element = h(
    'section',
    { class: 'stage call-stage incoming', 'aria-labelledby': 'stage-title' },
    h('div', { class: 'halo' }, avatar(peer, 'large')),
    h('h1', { id: 'stage-title', tabindex: -1 }, translate('incomingFrom', { name: peer })),
    state,
    h('div', { class: 'controls' }, decline, answer),
    h('p', { class: 'hint keyboard-only' }, translate('escapeHint')),
  );
  const update = (): void => {
    const answering = phone.call?.phase === 'answering';
    state.textContent = translate(answering ? 'answering' : 'incomingHint');
    answer.disabled = answering;
  };
  const onkeydown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.preventDefault();
      phone.hangUp();
    }
  };
  document.addEventListener('keydown', onkeydown);
  update();
  return { element, update, stop: () => document.removeEventListener('keydown', onkeydown) };
}
