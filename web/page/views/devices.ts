/** Choice of microphone and speaker. */
import { type DeviceInfo, devices } from '../../src/index.ts';
import { h } from '../dom.ts';
import type { Phone } from '../phone.ts';
import { rememberDevice, rememberedDevice } from '../store.ts';
import { translate } from '../strings.ts';
import type { View } from './view.ts';

type Kind = 'microphone' | 'speaker';

/** Two lists that follow what is plugged in. */
export function devicesView(phone: Phone): View {
  const canRoute = 'setSinkId' in HTMLMediaElement.prototype;
  const microphone = choice('microphone', phone);
  const speaker = choice('speaker', phone);
  const later = h('p', { class: 'hint' }, translate('devicesLater'));
  const element = h(
    'section',
    { class: 'card devices', 'aria-labelledby': 'devices-title' },
    h('h2', { id: 'devices-title' }, translate('devices')),
    h('label', { class: 'label', for: 'microphone' }, translate('microphone')),
    microphone,
    ...(canRoute
      ? [h('label', { class: 'label', for: 'speaker' }, translate('speaker')), speaker]
      : [h('p', { class: 'hint' }, translate('speakerFixed'))]),
    later,
  );
  const refresh = async (): Promise<void> => {
    const list = await devices().catch(() => []);
    fill(microphone, 'microphone', list.filter(({ kind }) => kind === 'audioinput'));
    fill(speaker, 'speaker', list.filter(({ kind }) => kind === 'audiooutput'));
    later.hidden = list.some(({ label }) => label !== '');
  };
  const onchange = (): void => void refresh();
  navigator.mediaDevices?.addEventListener('devicechange', onchange);
  void refresh();
  return { element, stop: () => navigator.mediaDevices?.removeEventListener('devicechange', onchange) };
}

function choice(kind: Kind, phone: Phone): HTMLSelectElement {
  const select = h('select', {
    id: kind,
    class: 'input',
    onchange: () => {
      rememberDevice(kind, select.value);
      void phone.useDevice(kind, select.value || fallback(kind, select));
    },
  });
  fill(select, kind, []);
  return select;
}

/** What stands for the system's choice during a call: microphones are asked for by name, speakers take the empty one. */
function fallback(kind: Kind, select: HTMLSelectElement): string {
  return kind === 'microphone' ? (select.dataset['first'] ?? '') : '';
}

function fill(select: HTMLSelectElement, kind: Kind, list: DeviceInfo[]): void {
  select.dataset['first'] = list[0]?.deviceId ?? '';
  // Chromium lists the default once more, and first, under this name.
  const known = list.filter(({ deviceId }) => deviceId !== '' && deviceId !== 'default');
  const options = known.map(({ deviceId, label }, index) =>
    h('option', { value: deviceId }, label || translate('deviceUnnamed', { number: index + 1 })),
  );
  select.replaceChildren(h('option', { value: '' }, translate('deviceDefault')), ...options);
  const chosen = rememberedDevice(kind);
  select.value = known.some(({ deviceId }) => deviceId === chosen) ? chosen : '';
}
