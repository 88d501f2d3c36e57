/** The screen between calls: call somebody. */
import type { Alerts } from '../alerts.ts';
import { h, icon } from '../dom.ts';
import type { Phone } from '../phone.ts';
import { friendlyName, isName } from '../store.ts';
import { type Key, translate } from '../strings.ts';
import type { View } from './view.ts';

/** Asks whom to call. `draft` is what was typed before, `onDraft` keeps it over a change of screen. */
export function dialView(phone: Phone, alerts: Alerts, user: string, draft: string, onDraft: (text: string) => void): View {
  const message = h('p', { class: 'field-error', id: 'peer-error', role: 'alert' });
  const notice = h('p', { class: 'notice' });
  const input = h('input', {
    id: 'peer',
    class: 'input',
    name: 'peer',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    enterkeyhint: 'go',
    'aria-describedby': 'peer-error',
    value: draft,
    oninput: () => onDraft(input.value),
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    const peer = input.value.trim();
    const key = faultOf(peer, user);
    const wrong = key === undefined ? '' : translate(key);
    message.textContent = wrong;
    input.toggleAttribute('aria-invalid', wrong !== '');
    if (wrong === '') {
      void alerts.unlockSound();
      void phone.dial(peer);
    } else {
      input.focus();
    }
  };
  const other = friendlyName();
  const element = h(
    'section',
    { class: 'stage', 'aria-labelledby': 'stage-title' },
    notice,
    h(
      'form',
      { class: 'card dial', novalidate: true, onsubmit: submit },
      h('h1', { id: 'stage-title', tabindex: -1 }, translate('callTitle')),
      h('label', { for: 'peer', class: 'label' }, translate('peerLabel')),
      h(
        'div',
        { class: 'dial-row' },
        input,
        h('button', { type: 'submit', class: 'button go' }, icon('phone'), h('span', { class: 'button-label' }, translate('call'))),
      ),
      message,
    ),
    h(
      'div',
      { class: 'card tip' },
      h('h2', {}, translate('tipTitle')),
      h('p', { class: 'soft' }, translate('tipText')),
      h(
        'p',
        {},
        h('a', { class: 'link', href: `/?as=${encodeURIComponent(other)}`, target: '_blank', rel: 'noopener' }, translate('tipLink', { name: other })),
      ),
      h('p', { class: 'soft' }, translate('tipCli')),
      h('pre', { class: 'code', tabindex: 0 }, h('code', { lang: 'en' }, `${answerCommand()}`)),
    ),
  );
  const update = (): void => {
    notice.textContent = alerts.notice === undefined ? '' : translate(alerts.notice.key, alerts.notice.values);
    notice.hidden = alerts.notice === undefined;
  };
  update();
  return { element, update };
}

function faultOf(peer: string, user: string): Key | undefined {
  if (peer === '') {
    return 'peerEmpty';
  }
  return peer === user ? 'peerSelf' : isName(peer) ? undefined : 'nameWrong';
}

function answerCommand(): string {
  const socket = new URL('/ws', location.href);
  socket.protocol = socket.protocol.replace('http', 'ws');
  return ['duologue answer --as bob --auto', `--app-server ${location.origin}/app`, `--server ${socket.href}`].join(' \\\n  ');
}
