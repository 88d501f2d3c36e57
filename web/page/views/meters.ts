/** Level meter and network quality. */
import { h } from '../dom.ts';
import { type Key, translate } from '../strings.ts';

/** A bar that shows how loud somebody is. */
export class LevelMeter {
  /** The bar with its name. */
  readonly element: HTMLElement;
  readonly #bar: HTMLElement;

  /** `shown` stands beside the bar, `label` is its full name for screen readers. */
  constructor(shown: string, label: string) {
    this.#bar = h('span', {
      class: 'meter-bar',
      role: 'meter',
      'aria-label': label,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-valuenow': 0,
    });
    this.element = h('div', { class: 'meter' }, h('span', { class: 'meter-name', 'aria-hidden': 'true' }, shown), this.#bar);
  }

  /** Shows a level of 0 to 100. */
  set(level: number): void {
    const whole = Math.round(Math.max(0, Math.min(100, level)));
    this.#bar.setAttribute('aria-valuenow', String(whole));
    // Through the object model: the page's content policy forbids style attributes.
    this.#bar.style.setProperty('--level', String(whole / 100));
  }
}

/** Five bars and a word. */
export class QualityIndicator {
  /** The indicator. */
  readonly element: HTMLElement;
  readonly #word = h('span', { class: 'quality-word' });
  readonly #bars = h('span', { class: 'quality-bars', role: 'img' }, ...Array.from({ length: 5 }, () => h('span', { class: 'quality-bar' })));

  constructor() {
    this.element = h('span', { class: 'quality' }, this.#bars, this.#word);
    this.set(0);
  }

  /** Shows a level of 0 (unknown), 1 (bad) to 5 (excellent). */
  set(level: number): void {
    const known = Number.isInteger(level) && level >= 0 && level <= 5 ? level : 0;
    const word = translate(`quality${known}` as Key);
    this.element.dataset['level'] = String(known);
    this.#word.textContent = word;
    this.#bars.setAttribute('aria-label', `${translate('quality')}: ${word}`);
  }
}
