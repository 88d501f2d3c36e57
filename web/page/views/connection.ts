/** The panel beside a call: plots of the last minute. */
import { h } from '../dom.ts';
import { type Measured, measure } from '../measure.ts';
import type { Phone } from '../phone.ts';
import { Plot } from '../plots.ts';
import { translate } from '../strings.ts';
import type { View } from './view.ts';

/** How often the statistics are read, in milliseconds. */
const PERIOD = 1_000;

/** Plots of round trip, loss, jitter buffer and bitrate. */
export function connectionView(phone: Phone): View {
  const roundTrip = new Plot({ title: 'plotRtt', unit: 'ms', least: 20, digits: 0, lines: [{ colour: '--plot-a' }] });
  const loss = new Plot({ title: 'plotLoss', unit: '%', least: 5, digits: 1, lines: [{ colour: '--plot-b' }] });
  const jitter = new Plot({ title: 'plotJitter', unit: 'ms', least: 50, digits: 0, lines: [{ colour: '--plot-c' }] });
  const rate = new Plot({
    title: 'plotRate',
    unit: 'kbit/s',
    least: 50,
    digits: 0,
    lines: [
      { colour: '--plot-a', label: 'plotReceived' },
      { colour: '--plot-d', label: 'plotSent' },
    ],
  });
  const plots = [roundTrip, loss, jitter, rate];
  const packets = h('p', { class: 'soft packets' });
  const element = h(
    'section',
    { class: 'card connection', 'aria-labelledby': 'plots-title' },
    h('h2', { id: 'plots-title' }, translate('plotsTitle')),
    h('div', { class: 'plots' }, ...plots.map((plot) => plot.element)),
    packets,
  );
  let last: Measured | undefined;
  let looking = false;
  const look = async (): Promise<void> => {
    // The time of the question: a browser under load counts at once and answers late.
    const at = performance.now();
    if (looking || (last !== undefined && at - last.at < PERIOD / 2)) {
      return;
    }
    looking = true;
    const statistics = await phone.statistics();
    looking = false;
    if (statistics === undefined) {
      return;
    }
    const now = measure(statistics, at, last);
    last = now;
    roundTrip.add(now.at, [now.roundTrip]);
    loss.add(now.at, [now.loss]);
    jitter.add(now.at, [now.jitterBuffer]);
    rate.add(now.at, [now.received, now.sent]);
    packets.textContent = translate('statsPackets', { sent: now.packetsSent, received: now.packetsReceived });
  };
  const timer = setInterval(() => void look(), PERIOD);
  void look();
  const resized = new ResizeObserver(() => plots.forEach((plot) => plot.draw()));
  resized.observe(element);
  const stop = (): void => {
    clearInterval(timer);
    resized.disconnect();
  };
  return { element, stop };
}
