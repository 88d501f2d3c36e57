/** The screen during a call: who, how long, how loud, how good, and the buttons. */
import { avatar, button, h, icon } from '../dom.ts';
import type { CallState } from '../call-state.ts';
import type { Phone } from '../phone.ts';
import { clock, translate } from '../strings.ts';
import { CodePanel } from './code.ts';
import { LevelMeter, QualityIndicator } from './meters.ts';
import type { View } from './view.ts';

/** A call that has connected. */
export function inCallView(phone: Phone, peer: string): View {
  const face = h('div', { class: 'halo talking' }, avatar(peer, 'large'));
  const timer = h('span', { class: 'timer', role: 'timer', 'aria-label': translate('duration') }, '0:00');
  const quality = new QualityIndicator();
  const mine = new LevelMeter(translate('you'), translate('yourLevel'));
  const theirs = new LevelMeter(peer, translate('peerLevel', { name: peer }));
  const notes = h('ul', { class: 'notes' });
  const code = new CodePanel(peer);
  const controls = new Controls(phone, peer);
  const element = h(
    'section',
    { class: 'stage call-stage in-call', 'aria-labelledby': 'stage-title' },
    face,
    h('h1', { id: 'stage-title', tabindex: -1 }, h('span', { class: 'visually-hidden' }, translate('inCallWith', { name: peer })), h('span', { 'aria-hidden': 'true' }, peer)),
    h('p', { class: 'facts' }, timer, quality.element),
    notes,
    h('div', { class: 'meters' }, theirs.element, mine.element),
    code.element,
    controls.element,
  );
  const tick = (): void => {
    timer.textContent = clock(phone.duration / 1_000);
  };
  const update = (): void => {
    const call = phone.call;
    if (call === undefined) {
      return;
    }
    // Nothing is sent on hold.
    const quiet = call.held || call.heldByPeer !== undefined;
    element.classList.toggle('on-hold', quiet);
    face.style.setProperty('--level', String(quiet ? 0 : call.peerLevel / 100));
    mine.set(call.muted || quiet ? 0 : call.myLevel);
    theirs.set(quiet ? 0 : call.peerLevel);
    quality.set(call.quality);
    code.set(call.code);
    showNotes(notes, notesOf(call));
    controls.update(call);
  };
  tick();
  update();
  const ticking = setInterval(tick, 500);
  return { element, update, stop: () => clearInterval(ticking) };
}

function notesOf(call: Readonly<CallState>): string[] {
  const name = call.peer;
  const notes: string[] = [];
  if (call.lost) {
    notes.push(translate('networkLost'));
  }
  if (call.held) {
    notes.push(translate('youHold'));
  }
  if (call.heldByPeer !== undefined) {
    const { reason } = call.heldByPeer;
    notes.push(reason ? translate('peerHoldsReason', { name, reason }) : translate('peerHolds', { name }));
  }
  if (call.peerMuted) {
    notes.push(translate('peerMuted', { name }));
  }
  if (call.muted) {
    notes.push(translate('youMuted'));
  }
  return notes;
}

function showNotes(list: HTMLElement, notes: string[]): void {
  const shown = [...list.children].map((item) => item.textContent);
  if (shown.length !== notes.length || notes.some((note, index) => note !== shown[index])) {
    list.replaceChildren(...notes.map((note) => h('li', { class: 'note' }, note)));
  }
  list.hidden = notes.length === 0;
}

/** Mute, hold, hang up; and the question for the reason of a hold. */
class Controls {
  readonly element: HTMLElement;
  readonly #phone: Phone;
  readonly #mute: HTMLButtonElement;
  readonly #hold: HTMLButtonElement;
  readonly #form: HTMLFormElement;
  readonly #reason: HTMLInputElement;

  constructor(phone: Phone, peer: string) {
    this.#phone = phone;
    this.#mute = button('', undefined, 'control', () => void phone.mute(!phone.call?.muted));
    this.#hold = button('', undefined, 'control', () => this.#onHold());
    this.#reason = h('input', { id: 'hold-reason', class: 'input', maxlength: 80, autocomplete: 'off', 'aria-describedby': 'hold-hint' });
    this.#form = h(
      'form',
      { class: 'hold-form', hidden: true, 'aria-label': translate('holdTitle', { name: peer }), onsubmit: (event) => this.#onSubmit(event) },
      h('label', { class: 'label', for: 'hold-reason' }, translate('holdReason')),
      this.#reason,
      h('p', { class: 'hint', id: 'hold-hint' }, translate('holdReasonHint', { name: peer })),
      h(
        'div',
        { class: 'row' },
        h('button', { type: 'submit', class: 'button primary grow' }, translate('holdConfirm')),
        button(translate('holdBack'), undefined, 'plain', () => this.#close()),
      ),
    );
    this.#form.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        this.#close();
      }
    });
    const hangUp = button(translate('hangUp'), 'hangUp', 'control stop', () => phone.hangUp());
    this.element = h('div', { class: 'call-actions' }, this.#form, h('div', { class: 'controls' }, this.#mute, this.#hold, hangUp));
  }

  update(call: Readonly<CallState>): void {
    dress(this.#mute, call.muted ? 'micOff' : 'mic', translate(call.muted ? 'unmute' : 'mute'), call.muted);
    dress(this.#hold, call.held ? 'play' : 'pause', translate(call.held ? 'resume' : 'hold'), call.held);
    this.#hold.setAttribute('aria-expanded', String(!this.#form.hidden));
  }

  #onHold(): void {
    if (this.#phone.call?.held) {
      void this.#phone.resume();
    } else if (this.#form.hidden) {
      this.#form.hidden = false;
      this.#hold.setAttribute('aria-expanded', 'true');
      this.#reason.focus();
    } else {
      this.#close();
    }
  }

  #onSubmit(event: Event): void {
    event.preventDefault();
    const reason = this.#reason.value;
    this.#close();
    void this.#phone.hold(reason);
  }

  #close(): void {
    this.#reason.value = '';
    this.#form.hidden = true;
    this.#hold.setAttribute('aria-expanded', 'false');
    this.#hold.focus();
  }
}

/** Gives a button its drawing and words, unless it has them: a screen reader would read them again. */
function dress(target: HTMLButtonElement, name: Parameters<typeof icon>[0], label: string, pressed: boolean): void {
  target.classList.toggle('pressed', pressed);
  if (target.textContent !== label) {
    target.replaceChildren(icon(name), h('span', { class: 'button-label' }, label));
  }
}
