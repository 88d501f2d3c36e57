"""Compares our jitter buffer with NetEq; `cargo xtask compare-neteq` runs it.

    python3 compare.py --ours JITTER_REPLAY --neteq NETEQ_REPLAY --work FOLDER --results FOLDER [--seeds N] [--only PART,...]

Parts: delay, stalls, drift, curves, quality, recovery. Each writes RESULTS/PART.json; the tables and plots are made of all that are there.
"""

import argparse
import json
import pathlib

import numpy as np

import engines
import report
from report import mean
import speech
import traces

# What quality is scored on, with whole packets or requests as well where the name says so.
SCORED = ["ge15", "ge5", "rand10", "clean", "lte_spikes", "wifi_mild", "gauss40", "bursts10", "queue"]
RECOVERY = [("ge15", ["--red", "1"]), ("ge15", ["--red", "2"]), ("ge15", ["--nack", "60"])]
WEIGHTS_MS = [2, 5, 10, 20, 40, 100, 300]
QUANTILES = [0.70, 0.80, 0.90, 0.95, 0.97, 0.99, 0.995]
MODES = {"neteq": "", "neteq_stable": engines.STABLE}


class Comparison:
    def __init__(self, options):
        self.bench = engines.Bench(options.ours, options.neteq, options.work)
        self.talkers = speech.talkers(pathlib.Path(options.work) / "talkers")
        self.results = pathlib.Path(options.results)
        self.seeds = traces.TABLE_SEEDS[: options.seeds]

    def keep(self, part, rows):
        """Writes what is there so far: a run takes long, and may be stopped."""
        (self.results / f"{part}.json").write_text(json.dumps(rows, indent=1, default=float) + "\n")

    def runs(self, family, seconds):
        """One talker for each seed: (name, speech, arrivals, packets, first timestamp)."""
        for n, seed in enumerate(self.seeds):
            talker = list(self.talkers)[n % len(self.talkers)]
            arrival = traces.generate(family, seed, seconds)
            name = f"{family}-{seed}-{talker}".replace(":", "_").replace(",", "_")
            packets = self.bench.packets(self.talkers[talker], arrival, name)
            first = self.bench._encode(self.talkers[talker], seconds)[0][1]
            yield name, self.talkers[talker], arrival, packets, first

    def engines(self, packets, name, *options):
        """(engine, wav, log, figures) of ours and of both modes of NetEq."""
        yield ("ours", *self.bench.play_ours(packets, f"{name}-ours", *options))
        for mode, trials in MODES.items():
            yield (mode, *self.bench.play_neteq(packets, f"{name}-{mode}", trials))

    def delay(self):
        rows = {}
        for family in traces.TABLE:
            for name, _, arrival, packets, first in self.runs(family, 60):
                for engine, _, log, figures in self.engines(packets, name, "--complexity", "0"):
                    at, added = engines.added_delay(log, arrival, first)
                    figures |= engines.delay_figures(at, added)
                    if family == "clean" and engine == "ours":
                        figures["stretches_after_2s"] = stretches_after(log, 2000)
                    rows.setdefault(family, {}).setdefault(engine, []).append(figures)
            print(family, {e: round(mean(v, "mean"), 1) for e, v in rows[family].items()}, flush=True)
        return rows

    def stalls(self):
        rows = {}
        for family in traces.STALLS:
            at_s, length = (float(x) for x in family.split(":")[1].split(","))
            for name, _, arrival, packets, first in self.runs(family, 90):
                for engine, _, log, _ in self.engines(packets, name, "--complexity", "0"):
                    at, added = engines.added_delay(log, arrival, first)
                    took = engines.recovery_seconds(at, added, at_s, length)
                    rows.setdefault(family, {}).setdefault(engine, []).append(took)
            print(family, rows[family], flush=True)
        return rows

    def drift(self):
        rows = {}
        for family in traces.DRIFTS:
            for name, _, arrival, packets, first in list(self.runs(family, 600))[:2]:
                for engine, _, log, figures in self.engines(packets, name, "--complexity", "0"):
                    at, added = engines.added_delay(log, arrival, first)
                    # Against the fastest path at that time, not at the start.
                    added = added - at * max(float(family.split(":")[1]), 0) * 1e-6
                    if float(family.split(":")[1]) < 0:
                        added = added - (at - at[-1]) * float(family.split(":")[1]) * 1e-6
                    settled = added[at >= 10_000]
                    figures |= {"least": settled.min(), "most": settled.max(), "mean": settled.mean()}
                    figures["concealed_after_start"] = concealed_after(log, 2000)
                    rows.setdefault(family, {}).setdefault(engine, []).append(figures)
            print(family, {e: [(round(r["least"], 1), round(r["most"], 1), r["concealed_after_start"]) for r in v] for e, v in rows[family].items()}, flush=True)
        return rows

    def curves(self):
        rows = {}
        for family in ["wifi_mild", "gauss40", "lte_spikes", "ge15"]:
            for name, _, arrival, packets, first in list(self.runs(family, 60))[:2]:
                settings = [("ours", weight, None) for weight in WEIGHTS_MS]
                settings += [(mode, q, trials) for mode, trials in MODES.items() for q in QUANTILES]
                for engine, setting, trials in settings:
                    if engine == "ours":
                        options = ["--complexity", "0", "--delay-per-percent", str(setting)]
                        _, log, figures = self.bench.play_ours(packets, f"{name}-curve", *options)
                    else:
                        quantile = f"WebRTC-Audio-NetEqDelayManagerConfig/quantile:{setting}/"
                        _, log, figures = self.bench.play_neteq(packets, f"{name}-curve", trials + quantile)
                    at, added = engines.added_delay(log, arrival, first)
                    point = [engines.delay_figures(at, added)["mean"], figures["concealed_percent"]]
                    rows.setdefault(family, {}).setdefault(engine, {}).setdefault(str(setting), []).append(point)
            self.keep("curves", rows)
            print(family, "swept", flush=True)
        return rows

    def quality(self):
        import score

        rows = {}
        for family in SCORED:
            for name, talker, arrival, packets, first in self.runs(family, 60):
                for engine, wav, log, figures in self.engines(packets, name):
                    at, added = engines.added_delay(log, arrival, first)
                    figures |= engines.delay_figures(at, added) | score.score(talker, wav, 60)
                    rows.setdefault(family, {}).setdefault(engine, []).append(figures)
            self.keep("quality", rows)
            print(family, {e: [round(mean(v, k), 2) for k in ("mean", "plcmos", "pesq")] for e, v in rows[family].items()}, flush=True)
        return rows

    def recovery(self):
        import score

        rows = {}
        for family, options in RECOVERY:
            for name, talker, arrival, _, first in self.runs(family, 60):
                trace = self.bench.work / f"{name}.csv"
                with open(trace, "w") as out:
                    traces.write(arrival, out, {})
                wav, log = self.bench.work / f"{name}-r.wav", self.bench.work / f"{name}-r.log.csv"
                printed = engines.run([self.bench.ours, "--trace", trace, "--speech", talker, "--out", wav, "--log", log, *options])
                figures = json.loads(printed.splitlines()[-1])
                at, added = engines.added_delay(log, arrival, first)
                figures |= engines.delay_figures(at, added) | score.score(talker, wav, 60)
                rows.setdefault(f"{family} {' '.join(options)}", []).append(figures)
            key = f"{family} {' '.join(options)}"
            print(key, [round(mean(rows[key], k), 2) for k in ("mean", "plcmos", "pesq")], flush=True)
        return rows


def operations(log, after_ms):
    with open(log) as file:
        next(file)
        rows = [line.strip().split(",") for line in file]
    return [row[3] for row in rows if float(row[0]) >= after_ms]


def stretches_after(log, after_ms):
    return sum(op in ("accelerate", "expand") for op in operations(log, after_ms))


def concealed_after(log, after_ms):
    return sum(op == "conceal" for op in operations(log, after_ms))


PARTS = ["delay", "stalls", "drift", "curves", "quality", "recovery"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("ours", "neteq", "work", "results"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seeds", type=int, default=len(traces.TABLE_SEEDS))
    parser.add_argument("--only", default=",".join(PARTS))
    options = parser.parse_args()
    results = pathlib.Path(options.results)
    results.mkdir(parents=True, exist_ok=True)
    comparison = Comparison(options)
    for part in options.only.split(","):
        if part not in PARTS:
            raise SystemExit(f"no part {part}; there are {', '.join(PARTS)}")
        comparison.keep(part, getattr(comparison, part)())
    report.write(results, comparison)


if __name__ == "__main__":
    main()
