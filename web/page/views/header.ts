/** The bar at the top: name of the page, presence, who is signed in, language, theme. */
import { avatar, h, icon } from '../dom.ts';
import type { Presence } from '../inbox.ts';
import type { Theme } from '../store.ts';
import { currentLanguage, translate } from '../strings.ts';
import type { View } from './view.ts';

/** What the bar shows and does. */
export interface HeaderOptions {
  user: string | undefined;
  theme: Theme;
  presence(): Presence;
  onLanguage(): void;
  onTheme(): void;
  onSignOut(): void;
}

const presenceText = {
  online: 'presenceOnline',
  connecting: 'presenceConnecting',
  reconnecting: 'presenceReconnecting',
} as const;

/** The bar. */
export function headerView(options: HeaderOptions): View {
  const { user, theme } = options;
  const presence = h('p', { class: 'presence', role: 'status' });
  const other = currentLanguage() === 'en' ? 'ja' : 'en';
  const themeLabel = translate(theme === 'dark' ? 'themeToLight' : 'themeToDark');
  const element = h(
    'div',
    { class: 'bar-inner' },
    h(
      'span',
      { class: 'brand' },
      h('img', { src: '/icon.svg', alt: '', width: 32, height: 32 }),
      h('span', { class: 'brand-name' }, translate('appName')),
    ),
    user !== undefined &&
      h(
        'div',
        { class: 'who' },
        avatar(user, 'small'),
        h('div', { class: 'who-text' }, h('p', { class: 'who-name' }, translate('signedInAs', { name: user })), presence),
      ),
    h(
      'div',
      { class: 'bar-buttons' },
      h(
        'button',
        { type: 'button', class: 'button quiet', id: 'language', lang: other, onclick: options.onLanguage },
        icon('globe'),
        h('span', { class: 'button-label' }, translate('otherLanguage')),
      ),
      h(
        'button',
        { type: 'button', class: 'button quiet round', id: 'theme', title: themeLabel, 'aria-label': themeLabel, onclick: options.onTheme },
        icon(theme === 'dark' ? 'sun' : 'moon'),
      ),
      user !== undefined &&
        h(
          'button',
          { type: 'button', class: 'button quiet round', title: translate('signOut'), 'aria-label': translate('signOut'), onclick: options.onSignOut },
          icon('out'),
        ),
    ),
  );
  const update = (): void => {
    const text = translate(presenceText[options.presence()]);
    presence.dataset['state'] = options.presence();
    // An unchanged text would be read out again.
    if (presence.textContent !== text) {
      presence.textContent = text;
    }
  };
  update();
  return { element, update };
}
