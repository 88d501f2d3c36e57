/** Makes elements without a framework. */

/** An attribute's value; `false` and `undefined` leave it out, `true` sets it empty, a function listens to `on…`. */
export type Attribute = string | number | boolean | undefined | ((event: Event) => void);

/** What stands inside an element; `undefined` and `false` are left out. */
export type Child = Node | string | undefined | false;

/** An element with its attributes, listeners (`onclick`, …) and children. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

const paths = {
  phone:
    'M6.6 3.5h2.2c.5 0 .9.3 1 .8l.8 3.2c.1.4 0 .8-.3 1.1L8.6 10.2c1.1 2.2 2.9 4 5.1 5.1l1.6-1.7c.3-.3.7-.4 1.1-.3l3.2.8c.5.1.8.5.8 1v2.2c0 1.7-1.4 3.1-3.1 3.1C10.1 20.4 3.6 13.9 3.6 6.6c0-1.7 1.3-3.1 3-3.1z',
  hangUp:
    'M12 9.5c-3.6 0-6.7 1-8.7 2.6-.7.6-1 1.5-.7 2.4l.5 1.5c.2.7.9 1.1 1.6.9l2.8-.7c.6-.1 1-.7 1-1.3v-1.7c1.1-.3 2.3-.5 3.5-.5s2.4.2 3.5.5v1.7c0 .6.4 1.2 1 1.3l2.8.7c.7.2 1.4-.2 1.6-.9l.5-1.5c.3-.9 0-1.8-.7-2.4-2-1.6-5.1-2.6-8.7-2.6z',
  mic: 'M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 11.5a6 6 0 0 0 12 0M12 17.5v3M9 20.5h6',
  micOff:
    'M4 4l16 16M9 9v2.5a3 3 0 0 0 4.6 2.5M15 11V6.5a3 3 0 0 0-5.9-.8M6 11.5a6 6 0 0 0 9.5 4.9M18 11.5a6 6 0 0 1-.4 2.2M12 17.5v3M9 20.5h6',
  pause: 'M8.5 5.5v13M15.5 5.5v13',
  play: 'M8 5.5l10.5 6.5L8 18.5z',
  incoming: 'M18 6L7 17M7 9v8h8',
  outgoing: 'M6 18L17 7M9 7h8v8',
  missed: 'M4 8l8 7 8-8M14 7h6v6',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c2.5 2.5 3.7 5.7 3.7 9s-1.2 6.5-3.7 9c-2.5-2.5-3.7-5.7-3.7-9S9.5 5.5 12 3z',
  out: 'M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 16l-4-4 4-4M6 12h9',
  bell: 'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21h4',
  warning: 'M12 4l9.5 16h-19zM12 10v4.5M12 17.2v.1',
  shuffle: 'M4 7h3.5c4.5 0 5 10 9.5 10h3M4 17h3.5c1.5 0 2.5-1.1 3.3-2.6M14 9.5c.8-1.5 1.6-2.5 3-2.5h3M17.5 4.5L20 7l-2.5 2.5M17.5 14.5L20 17l-2.5 2.5',
  sound: 'M4 9.5v5h3.5l5 4v-13l-5 4zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11',
  close: 'M6 6l12 12M18 6L6 18',
} as const;

/** Name of a drawing. */
export type IconName = keyof typeof paths;

const SVG = 'http://www.w3.org/2000/svg';

/** A drawing of 24 × 24 units in the colour of the text, hidden from screen readers: the words beside it say the same. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon icon-${name}`);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}

/** The element of the static page with this id. */
export function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const element = document.getElementById(id);
  if (!(element instanceof type)) {
    throw new Error(`index.html lacks #${id}`);
  }
  return element;
}

/** The circle with a person's initial; its hue comes from the name, so that a person keeps their colour. */
export function avatar(name: string, size: 'small' | 'large'): HTMLElement {
  let hash = 0;
  for (const character of name) {
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  }
  const initial = [...name.trim()][0] ?? '?';
  return h(
    'span',
    { class: `avatar avatar-${size} hue-${hash % 6}`, 'aria-hidden': 'true' },
    h('span', { class: 'avatar-letter' }, initial.toLocaleUpperCase()),
  );
}

/** A button with a drawing and words. */
export function button(
  label: string,
  name: IconName | undefined,
  look: string,
  onclick: (event: Event) => void,
): HTMLButtonElement {
  return h(
    'button',
    { type: 'button', class: `button ${look}`, onclick },
    name && icon(name),
    h('span', { class: 'button-label' }, label),
  );
}
