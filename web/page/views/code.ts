/** The verification code of a call: five pictures that the two users compare. */
import type { VerificationCode } from '../../src/code.ts';
import { h } from '../dom.ts';
import { currentLanguage, translate } from '../strings.ts';

/** Shows the code, once there is one. */
export class CodePanel {
  readonly element: HTMLElement;
  readonly #peer: string;
  #shown: VerificationCode | undefined;

  constructor(peer: string) {
    this.#peer = peer;
    this.element = h('div', { class: 'code', hidden: true });
  }

  /** The code, or that there is none. */
  set(code: VerificationCode | undefined): void {
    if (code === this.#shown) {
      return;
    }
    this.#shown = code;
    this.element.hidden = code === undefined;
    if (code !== undefined) {
      const names = currentLanguage() === 'ja' ? code.japanese : code.english;
      const symbols = code.emoji.map((emoji, index) =>
        h('li', { class: 'code-symbol' }, h('span', { class: 'code-emoji', 'aria-hidden': 'true' }, emoji), h('span', {}, names[index])),
      );
      this.element.replaceChildren(
        h('ol', { class: 'code-symbols', 'aria-label': translate('code') }, ...symbols),
        h('p', { class: 'hint' }, translate('codeHint', { name: this.#peer })),
      );
    }
  }
}
