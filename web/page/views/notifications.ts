/** The offer to ring while no tab is open. */
import { button, h } from '../dom.ts';
import type { Notifications } from '../notifications.ts';
import { translate } from '../strings.ts';
import type { View } from './view.ts';

/** Turns notifications on and off. */
export function notificationsView(notifications: Notifications, user: string): View {
  const text = h('p', { class: 'soft' });
  const on = button(translate('notifyOn'), 'bell', 'primary', () => void notifications.turnOn());
  const off = button(translate('notifyOff'), undefined, 'plain', () => void notifications.turnOff());
  const element = h(
    'section',
    { class: 'card notify', 'aria-labelledby': 'notify-title' },
    h('h2', { id: 'notify-title' }, translate('notifyTitle')),
    text,
    on,
    off,
  );
  const update = (): void => {
    const { state, fault } = notifications;
    text.textContent = {
      unsupported: translate('notifyUnsupported'),
      denied: translate('notifyDenied'),
      on: translate('notifyActive', { name: user }),
      off: fault === undefined ? translate('notifyText') : translate('notifyFailed', { detail: fault }),
      busy: translate('notifyText'),
    }[state];
    on.hidden = state !== 'off' && state !== 'busy';
    on.disabled = state === 'busy';
    off.hidden = state !== 'on';
  };
  update();
  return { element, update };
}
