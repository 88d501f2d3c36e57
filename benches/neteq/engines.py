"""Runs both engines on the very same packets, and reads their logs."""

import csv
import json
import pathlib
import struct
import subprocess

import numpy as np

import traces

STABLE = "WebRTC-Audio-NetEqDecisionLogicConfig/enable_stable_playout_delay:true/"


class Bench:
    """Binaries and a folder for what they make."""

    def __init__(self, ours, neteq, work):
        self.ours, self.neteq, self.work = str(ours), str(neteq), pathlib.Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.encoded = {}

    def _encode(self, speech, seconds):
        """The packets of this speech on a perfect network, as (sequence, timestamp, payload)."""
        key = (str(speech), seconds)
        if key not in self.encoded:
            name = f"{pathlib.Path(speech).stem}-{seconds:g}"
            path = self.work / f"{name}.bin"
            if not path.exists():
                trace = self.work / f"{name}.csv"
                with open(trace, "w") as out:
                    traces.write(np.arange(int(seconds * 50)) * 20.0, out, {})
                run([self.ours, "--trace", trace, "--speech", speech, "--write-packets", path, "--encode-only"])
            self.encoded[key] = read_packets(path)
        return self.encoded[key]

    def packets(self, speech, arrival, name):
        """Writes the file of packets that both engines read."""
        sent = self._encode(speech, len(arrival) * 0.02)
        path = self.work / f"{name}.bin"
        order = [n for n in np.argsort(arrival, kind="stable") if not np.isnan(arrival[n])]
        with open(path, "wb") as out:
            for n in order:
                sequence, timestamp, payload = sent[n]
                out.write(struct.pack("<QHIH", round(arrival[n] * 1000), sequence, timestamp, len(payload)) + payload)
        return path

    def play_ours(self, packets, name, *options):
        wav, log = self.work / f"{name}.wav", self.work / f"{name}.log.csv"
        printed = run([self.ours, "--packets", packets, "--out", wav, "--log", log, *options])
        return wav, log, json.loads(printed.splitlines()[-1])

    def play_neteq(self, packets, name, trials=""):
        wav, log = self.work / f"{name}.wav", self.work / f"{name}.log.csv"
        printed = run([self.neteq, packets, wav, log, trials])
        return wav, log, json.loads(printed.splitlines()[-1])


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def read_packets(path):
    data, at, packets = path.read_bytes(), 0, []
    while at < len(data):
        _, sequence, timestamp, length = struct.unpack_from("<QHIH", data, at)
        packets.append((sequence, timestamp, data[at + 16 : at + 16 + length]))
        at += 16 + length
    return packets


def added_delay(log, arrival, first_timestamp):
    """(milliseconds, added delay) per block: playout instant minus send instant minus the least delay of the network."""
    least = np.nanmin(arrival - np.arange(len(arrival)) * 20.0)
    at, added = [], []
    with open(log) as file:
        for row in csv.DictReader(file):
            if row["playout_ts"] == "0":
                continue
            since = (int(row["playout_ts"]) - first_timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
            at.append(float(row["t_ms"]))
            # The timestamp is that after the block's last sample, played 10 ms after its first.
            added.append(at[-1] + 10 - since / 48 - least)
    return np.array(at), np.array(added)


def delay_figures(at, added):
    later = added[at >= 1000]
    return {"mean": later.mean(), "p50": np.median(later), "p95": np.quantile(later, 0.95), "p99": np.quantile(later, 0.99)}


def recovery_seconds(at, added, stall_s, length_ms):
    """From the end of a stall until the delay is within 20 ms of before, and stays so for half a second."""
    start, end = stall_s * 1000, stall_s * 1000 + length_ms + traces.BASE_MS
    before = added[(at >= start - 2000) & (at < start)].mean()
    after = at >= end
    near = added[after] <= before + 20
    for n in range(len(near)):
        if near[n : n + 50].all():
            return float((at[after][n] - end) / 1000)
    return float("inf")
