/** Live plots of the last minute on canvas, each with a summary in words for those who cannot see it. */
import { h } from './dom.ts';
import { type Key, translate } from './strings.ts';

/** How far back a plot shows, in milliseconds. */
const SPAN = 60_000;

/** One line of a plot. */
interface Line {
  /** Custom property of the style sheet that holds the colour. */
  colour: string;
  /** Name in the legend, where there are several lines. */
  label?: Key;
}

/** What a plot shows. */
export interface PlotOptions {
  title: Key;
  unit: string;
  /** Smallest value that the upper edge stands for: a quiet line must not look wild. */
  least: number;
  /** Digits after the point. */
  digits: number;
  lines: Line[];
}

interface Sample {
  at: number;
  /** One value for each line; `undefined` where nothing was measured. */
  values: (number | undefined)[];
}

/** A plot: add samples, put {@link element} on the page. */
export class Plot {
  /** The plot with its title and figure. */
  readonly element: HTMLElement;
  readonly #options: PlotOptions;
  readonly #canvas: HTMLCanvasElement;
  readonly #figure: HTMLElement;
  readonly #samples: Sample[] = [];

  constructor(options: PlotOptions) {
    this.#options = options;
    this.#canvas = h('canvas', { class: 'plot-canvas', role: 'img' });
    this.#figure = h('span', { class: 'plot-now' }, '–');
    const legend = options.lines.map(
      ({ label }, index) =>
        label && h('span', { class: `plot-key plot-key-${index}` }, translate(label)),
    );
    this.element = h(
      'div',
      { class: 'plot' },
      h('div', { class: 'plot-head' }, h('span', { class: 'plot-title' }, translate(options.title)), this.#figure),
      this.#canvas,
      legend.some(Boolean) && h('div', { class: 'plot-legend', 'aria-hidden': 'true' }, ...legend),
    );
    this.#describe();
  }

  /** Adds what was measured at `at` (milliseconds of a monotonic clock) and draws. */
  add(at: number, values: (number | undefined)[]): void {
    this.#samples.push({ at, values });
    while ((this.#samples[0]?.at ?? at) < at - SPAN) {
      this.#samples.shift();
    }
    this.draw();
  }

  /** Draws again, as after a change of theme or size. */
  draw(): void {
    this.#describe();
    const scale = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const context = this.#canvas.getContext('2d');
    if (context === null || width === 0) {
      return;
    }
    if (this.#canvas.width !== Math.round(width * scale) || this.#canvas.height !== Math.round(height * scale)) {
      this.#canvas.width = Math.round(width * scale);
      this.#canvas.height = Math.round(height * scale);
    }
    const style = getComputedStyle(this.#canvas);
    const top = this.#top();
    const bottom = height - 4;
    const rise = bottom - 14;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#drawScale(context, style, top, width, bottom, rise);
    const now = this.#samples.at(-1)?.at ?? 0;
    const x = (at: number): number => width - 3 - ((now - at) / SPAN) * (width - 6);
    const y = (value: number): number => bottom - (Math.min(value, top) / top) * rise;
    this.#options.lines.forEach(({ colour }, line) => {
      const ink = style.getPropertyValue(colour).trim();
      for (const run of this.#runs(line)) {
        drawRun(context, run.map(([at, value]) => [x(at), y(value)]), ink, bottom, line === 0);
      }
    });
  }

  #drawScale(
    context: CanvasRenderingContext2D,
    style: CSSStyleDeclaration,
    top: number,
    width: number,
    bottom: number,
    rise: number,
  ): void {
    context.strokeStyle = style.getPropertyValue('--line').trim();
    context.lineWidth = 1;
    for (const part of [0, 0.5, 1]) {
      const level = Math.round(bottom - part * rise) + 0.5;
      context.beginPath();
      context.moveTo(0, level);
      context.lineTo(width, level);
      context.stroke();
    }
    context.fillStyle = style.getPropertyValue('--text-soft').trim();
    context.font = `10px ${style.fontFamily}`;
    context.textBaseline = 'bottom';
    context.fillText(`${top} ${this.#options.unit}`, 0, bottom - rise - 1);
  }

  /** The upper edge: the highest value, rounded up to 1, 2 or 5 times a power of ten. */
  #top(): number {
    const highest = Math.max(this.#options.least, ...this.#samples.flatMap(({ values }) => values.map((value) => value ?? 0)));
    const power = 10 ** Math.floor(Math.log10(highest));
    const factor = [1, 2, 5, 10].find((step) => step * power >= highest * 0.999) ?? 10;
    return Number((factor * power).toPrecision(3));
  }

  /** The stretches of a line without a gap. */
  #runs(line: number): [at: number, value: number][][] {
    const runs: [number, number][][] = [];
    let open: [number, number][] | undefined;
    for (const { at, values } of this.#samples) {
      const value = values[line];
      if (value === undefined) {
        open = undefined;
      } else if (open === undefined) {
        open = [[at, value]];
        runs.push(open);
      } else {
        open.push([at, value]);
      }
    }
    return runs;
  }

  #describe(): void {
    const { title, unit, digits } = this.#options;
    const name = translate(title);
    const known = this.#samples.map(({ values }) => values[0]).filter((value) => value !== undefined);
    const now = this.#samples.at(-1)?.values[0];
    if (now === undefined || known.length === 0) {
      this.#figure.textContent = '–';
      this.#canvas.setAttribute('aria-label', translate('plotEmpty', { name }));
      return;
    }
    const round = (value: number): string => value.toFixed(digits);
    this.#figure.textContent = `${round(now)} ${unit}`;
    const summary = { name, unit, now: round(now), min: round(Math.min(...known)), max: round(Math.max(...known)) };
    this.#canvas.setAttribute('aria-label', translate('plotSummary', summary));
  }
}

function drawRun(
  context: CanvasRenderingContext2D,
  points: number[][],
  ink: string,
  bottom: number,
  filled: boolean,
): void {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) {
    return;
  }
  const trace = (): void => {
    context.beginPath();
    for (const [x = 0, y = 0] of points) {
      context.lineTo(x, y);
    }
  };
  if (filled) {
    trace();
    context.lineTo(last[0] ?? 0, bottom);
    context.lineTo(first[0] ?? 0, bottom);
    context.fillStyle = ink;
    context.globalAlpha = 0.14;
    context.fill();
    context.globalAlpha = 1;
  }
  trace();
  context.strokeStyle = ink;
  context.lineWidth = 2;
  context.lineJoin = 'round';
  context.stroke();
  context.beginPath();
  context.arc(last[0] ?? 0, last[1] ?? 0, 2.5, 0, 2 * Math.PI);
  context.fillStyle = ink;
  context.fill();
}
