/** The first screen: who are you? */
import { button, h } from '../dom.ts';
import { friendlyName, isName } from '../store.ts';
import { translate } from '../strings.ts';
import type { View } from './view.ts';

/** Asks for a name. */
export function signInView(onSignIn: (name: string) => void): View {
  const fault = h('p', { class: 'field-error', id: 'name-error', role: 'alert' });
  const input = h('input', {
    id: 'name',
    class: 'input',
    name: 'name',
    autocomplete: 'nickname',
    autocapitalize: 'none',
    spellcheck: 'false',
    'aria-describedby': 'name-hint name-error',
    value: friendlyName(),
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    const name = input.value.trim();
    const wrong = name === '' ? translate('nameEmpty') : isName(name) ? '' : translate('nameWrong');
    fault.textContent = wrong;
    input.toggleAttribute('aria-invalid', wrong !== '');
    if (wrong === '') {
      onSignIn(name);
    } else {
      input.focus();
    }
  };
  const suggest = (): void => {
    input.value = friendlyName();
    input.focus();
    input.select();
  };
  const element = h(
    'section',
    { class: 'stage welcome', 'aria-labelledby': 'stage-title' },
    h('div', { class: 'hero' }, hero(), h('p', { class: 'tagline' }, translate('tagline'))),
    h(
      'form',
      { class: 'card sign-in', novalidate: true, onsubmit: submit },
      h('h1', { id: 'stage-title', tabindex: -1 }, translate('signInTitle')),
      h('p', { class: 'soft' }, translate('signInIntro')),
      h('label', { for: 'name', class: 'label' }, translate('nameLabel')),
      input,
      h('p', { class: 'hint', id: 'name-hint' }, translate('nameHint')),
      fault,
      h(
        'div',
        { class: 'row' },
        h('button', { type: 'submit', class: 'button primary grow' }, translate('signIn')),
        button(translate('anotherName'), 'shuffle', 'plain', suggest),
      ),
    ),
  );
  return { element };
}

/** Shown instead, where the browser keeps the microphone away from the page. */
export function insecureView(): View {
  const secure = `https://${location.host}/`;
  const element = h(
    'section',
    { class: 'stage welcome', 'aria-labelledby': 'stage-title' },
    h(
      'div',
      { class: 'card sign-in' },
      h('h1', { id: 'stage-title', tabindex: -1 }, translate('insecureTitle')),
      h('p', {}, translate('insecureText')),
      h('p', {}, translate('insecureStart')),
      h('pre', { class: 'code', tabindex: 0 }, h('code', { lang: 'en' }, `duologue server --dev --tls-self-signed --listen 0.0.0.0:${location.port || '8080'}`)),
      h('p', {}, translate('insecureOpen', { address: secure })),
      h('p', {}, h('a', { href: secure, class: 'link' }, secure)),
    ),
  );
  return { element };
}

/** Two speech circles with sound between them. */
function hero(): HTMLElement {
  const bars = Array.from({ length: 9 }, (_, index) => h('span', { class: `wave wave-${index % 5}` }));
  return h(
    'div',
    { class: 'hero-art', 'aria-hidden': 'true' },
    h('span', { class: 'hero-face hero-left' }),
    h('span', { class: 'hero-waves' }, ...bars),
    h('span', { class: 'hero-face hero-right' }),
  );
}
