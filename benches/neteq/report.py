"""Tables and plots of the results that are there."""

import json

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

import engines  # noqa: E402
import traces  # noqa: E402

NAMES = {"ours": "ours", "neteq": "NetEq", "neteq_stable": "NetEq, stable delay"}
COLOURS = {"ours": "#0a7d4b", "neteq": "#b5432a", "neteq_stable": "#d99a2b"}


def mean(rows, key):
    return float(np.mean([row[key] for row in rows]))


def _load(results, part):
    path = results / f"{part}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def _delay(rows):
    out = []
    for family, engine in rows.items():
        cells = [family]
        for name in NAMES:
            r = engine[name]
            cells.append(f"{mean(r, 'mean'):.1f} / {mean(r, 'p95'):.1f}")
            cells.append(f"{mean(r, 'concealed_percent'):.2f}")
        cells.append(f"{mean(engine['ours'], 'stretched_percent'):.1f} / {mean(engine['neteq'], 'stretched_percent'):.1f}")
        usable = sum(r["fec_usable"] for r in engine["ours"])
        used = [sum(r["fec_used"] for r in engine[name]) for name in ("ours", "neteq")]
        cells.append(f"{used[0]} / {used[1]} of {usable}")
        out.append(cells)
    head = ["trace"]
    for name in NAMES.values():
        head += [f"{name}: added ms, mean / p95", "concealed %"]
    return _table([*head, "stretched %, ours / NetEq", "copies used, ours / NetEq"], out)


def _stalls(rows):
    out = []
    for family, engine in rows.items():
        at, length = family.split(":")[1].split(",")
        cells = [f"{length} ms at {at} s"]
        for name in NAMES:
            finite = [x for x in engine[name] if np.isfinite(x)]
            never = len(engine[name]) - len(finite)
            text = f"{np.mean(finite):.1f} ({min(finite):.1f} to {max(finite):.1f})" if finite else "-"
            cells.append(text + (f", {never} never" if never else ""))
        out.append(cells)
    return _table(["stall", *(f"{n}: seconds" for n in NAMES.values())], out)


def _drift(rows):
    out = []
    for family, engine in rows.items():
        cells = [family.split(":")[1] + " ppm"]
        for name in NAMES:
            r = engine[name]
            cells.append(f"{min(x['least'] for x in r):.0f} to {max(x['most'] for x in r):.0f}")
            cells.append(f"{mean(r, 'concealed_after_start'):.0f}")
        out.append(cells)
    head = ["clock"]
    for name in NAMES.values():
        head += [f"{name}: added ms", "blocks concealed"]
    return _table(head, out)


def _quality(rows):
    out = []
    for family, engine in rows.items():
        cells = [family]
        for name in NAMES:
            r = engine[name]
            cells.append(f"{mean(r, 'mean'):.1f}")
            cells.append(f"{mean(r, 'plcmos'):.2f} / {mean(r, 'pesq'):.2f}")
        out.append(cells)
    head = ["trace"]
    for name in NAMES.values():
        head += [f"{name}: added ms", "PLCMOS / PESQ-WB"]
    return _table(head, out)


def _recovery(rows):
    out = [
        [name, f"{mean(r, 'mean'):.1f}", f"{mean(r, 'concealed_percent'):.2f}", f"{mean(r, 'plcmos'):.2f} / {mean(r, 'pesq'):.2f}", f"{mean(r, 'bits_per_second') / 1000:.1f}"]
        for name, r in rows.items()
    ]
    return _table(["ours with", "added ms", "concealed %", "PLCMOS / PESQ-WB", "kb/s"], out)


def curve_verdict(rows):
    """Points of ours that lie below NetEq's better curve, where that reaches: {family: (below, compared)}."""
    verdict = {}
    for family, engine in rows.items():
        ours = [np.mean(points, axis=0) for points in engine["ours"].values()]
        below = compared = 0
        for delay, concealed in ours:
            others = []
            for mode in ("neteq", "neteq_stable"):
                points = sorted(tuple(np.mean(p, axis=0)) for p in engine[mode].values())
                xs, ys = zip(*points)
                if delay <= xs[-1]:
                    # Less delay than NetEq ever has: its least-delay point is what it must beat.
                    others.append(np.interp(delay, xs, ys))
                else:
                    others.append(min(ys))
            compared += 1
            below += concealed <= min(others) + 1e-9
        verdict[family] = (below, compared)
    return verdict


def _curves(rows, results):
    figure, axes = pyplot.subplots(1, len(rows), figsize=(4.2 * len(rows), 3.6))
    for axis, (family, engine) in zip(np.atleast_1d(axes), rows.items()):
        for name, points in engine.items():
            line = sorted(tuple(np.mean(p, axis=0)) for p in points.values())
            axis.plot(*zip(*line), "o-", ms=3, color=COLOURS[name], label=NAMES[name])
        axis.set_title(family)
        axis.set_xlabel("added delay, ms")
        axis.set_ylabel("concealed, %")
        axis.set_yscale("log")
        axis.grid(alpha=0.3)
    np.atleast_1d(axes)[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(results / "curves.svg")
    pyplot.close(figure)
    verdict = curve_verdict(rows)
    return "\n".join(f"* {family}: {below} of {all_} points on or below NetEq's better curve" for family, (below, all_) in verdict.items()) + "\n"


def plot_delay(comparison, results):
    """Delay over time on three traces, first seed."""
    shown = ["lte_spikes", "step", "stall:30,600"]
    figure, axes = pyplot.subplots(len(shown), 1, figsize=(9, 2.4 * len(shown)), sharex=True)
    for axis, family in zip(axes, shown):
        name, _, arrival, packets, first = next(iter(comparison.runs(family, 60)))
        sent = np.arange(len(arrival)) * 20.0
        axis.plot(sent / 1000, arrival - sent - np.nanmin(arrival - sent), lw=0.5, color="#888", label="network")
        for engine, _, log, _ in comparison.engines(packets, f"{name}-plot", "--complexity", "0"):
            at, added = engines.added_delay(log, arrival, first)
            axis.plot(at / 1000, added, lw=1, color=COLOURS[engine], label=NAMES[engine])
        axis.set_title(family, fontsize=9)
        axis.set_ylabel("added delay, ms")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    axes[-1].set_xlabel("seconds")
    figure.tight_layout()
    figure.savefig(results / "delay.svg")
    pyplot.close(figure)


def write(results, comparison):
    parts = {part: _load(results, part) for part in ("delay", "stalls", "drift", "curves", "quality", "recovery")}
    sections = [
        "# Our jitter buffer and NetEq, on the same packets\n\n"
        "Made by `cargo xtask compare-neteq`; do not edit. NetEq is that of Debian's libtgowt (about M110), as packaged and with its "
        f"stable-delay mode. Table seeds {comparison.seeds}, each with another talker; the engine was tuned on the families `tune_*` and on "
        f"seeds {traces.TUNING_SEEDS} of the table's. 60 s each, Opus 20 ms at 32 kb/s with in-band copies for 10 % loss. Means over seeds. Added delay is "
        "playout instant minus send instant minus the network's least delay, without the first second.\n"
    ]
    if parts["delay"]:
        sections.append("## Delay and concealment\n\n" + _delay(parts["delay"]))
    if parts["stalls"]:
        sections.append("## Time to be back within 20 ms of the delay before a stall\n\n" + _stalls(parts["stalls"]))
    if parts["drift"]:
        sections.append("## Clocks that run apart, 10 minutes\n\n" + _drift(parts["drift"]))
    if parts["curves"]:
        sections.append("## Delay against concealment, target swept\n\n![curves](curves.svg)\n\n" + _curves(parts["curves"], results))
    if parts["quality"]:
        sections.append("## Quality\n\nPLCMOS v2 and PESQ-WB, means over segments of 10 s.\n\n" + _quality(parts["quality"]))
    if parts["recovery"]:
        sections.append("## With whole redundant packets (RED) or requests (NACK, round trip 60 ms)\n\n" + _recovery(parts["recovery"]))
    plot_delay(comparison, results)
    sections.append("## Delay over time\n\n![delay](delay.svg)\n")
    (results / "README.md").write_text("\n".join(sections))
