/** The strip that says what is wrong and what helps. */
import type { Alerts } from '../alerts.ts';
import { button, h, icon } from '../dom.ts';
import { translate } from '../strings.ts';
import type { View } from './view.ts';

/** The present problem, if there is one. */
export function problemView(alerts: Alerts): View {
  const element = h('section', { class: 'problem', 'aria-label': translate('problem'), hidden: true });
  let shown: Alerts['problem'];
  const update = (): void => {
    const problem = alerts.problem;
    element.hidden = problem === undefined;
    if (problem === shown) {
      return;
    }
    shown = problem;
    if (problem === undefined) {
      element.replaceChildren();
      return;
    }
    const { title, advice, detail, action, caller } = problem;
    element.replaceChildren(
      icon('warning'),
      h(
        'div',
        { class: 'problem-text' },
        h('h2', {}, translate(title)),
        advice && h('p', {}, translate(advice)),
        caller !== undefined && h('p', {}, translate('problemAsk', { name: caller })),
        detail !== undefined && h('p', { class: 'detail' }, translate('problemDetail', { detail })),
      ),
      h(
        'div',
        { class: 'problem-buttons' },
        action &&
          button(translate(action.label), undefined, 'primary', () => {
            void alerts.unlockSound();
            action.run();
          }),
        button(translate('dismiss'), undefined, 'plain', () => alerts.dismiss()),
      ),
    );
  };
  update();
  return { element, update };
}
