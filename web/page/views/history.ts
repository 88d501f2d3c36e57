/** The list of recent calls. */
import type { Alerts } from '../alerts.ts';
import { button, h, icon } from '../dom.ts';
import type { Phone } from '../phone.ts';
import { type CallRecord, callsOf, clearCalls } from '../store.ts';
import { type Key, clock, currentLanguage, translate } from '../strings.ts';
import type { View } from './view.ts';

/** The calls of `user`, newest first, each with a button that calls back. */
export function historyView(phone: Phone, alerts: Alerts, user: string): View {
  const list = h('ol', { class: 'calls' });
  const empty = h('p', { class: 'soft' }, translate('historyEmpty'));
  const clear = button(translate('historyClear'), undefined, 'quiet small', () => {
    clearCalls(user);
    update();
    title.focus();
  });
  const title = h('h2', { id: 'history-title', tabindex: -1 }, translate('history'));
  const element = h(
    'section',
    { class: 'card history', 'aria-labelledby': 'history-title' },
    h('div', { class: 'card-head' }, title, clear),
    empty,
    list,
  );
  let shown: string | undefined;
  const update = (): void => {
    const calls = callsOf(user);
    const text = JSON.stringify(calls);
    if (text === shown) {
      return;
    }
    shown = text;
    empty.hidden = calls.length > 0;
    clear.hidden = calls.length === 0;
    list.replaceChildren(...calls.map((call) => row(call, phone, alerts)));
  };
  update();
  return { element, update };
}

function row(call: CallRecord, phone: Phone, alerts: Alerts): HTMLElement {
  const direction = translate(call.direction === 'in' ? 'incoming' : 'outgoing');
  const result = translate(`result${call.result[0]?.toUpperCase()}${call.result.slice(1)}` as Key);
  const facts = [result, when(call.at), ...(call.result === 'answered' ? [clock(call.seconds)] : [])];
  const back = h(
    'button',
    {
      type: 'button',
      class: 'button round back',
      'aria-label': translate('callBack', { name: call.peer }),
      title: translate('callBack', { name: call.peer }),
      onclick: () => {
        void alerts.unlockSound();
        void phone.dial(call.peer);
      },
    },
    icon('phone'),
  );
  return h(
    'li',
    { class: `call-row result-${call.result}` },
    h(
      'span',
      { class: 'direction', title: direction },
      icon(call.result === 'missed' ? 'missed' : call.direction === 'in' ? 'incoming' : 'outgoing'),
      h('span', { class: 'visually-hidden' }, direction),
    ),
    h('span', { class: 'call-text' }, h('span', { class: 'call-peer' }, call.peer), h('span', { class: 'call-facts' }, facts.join(' · '))),
    back,
  );
}

/** Today's calls by the time, older ones by the day too. */
function when(at: number): string {
  const time = new Date(at);
  const today = time.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(currentLanguage(), {
    ...(today ? {} : { month: 'short', day: 'numeric' }),
    hour: 'numeric',
    minute: '2-digit',
  }).format(time);
}
