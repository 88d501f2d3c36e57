"""Talkers: one WAV file each, 16 kHz mono, from Debian's pocketsphinx-testdata and the synthesisers flite and espeak-ng."""

import pathlib
import subprocess
import wave

import numpy as np

DATA = pathlib.Path("/usr/share/pocketsphinx/test/data")
TEXT = (
    "The boat left the harbour before the sun was up. Nobody on the quay said a word. Seven gulls followed it past the last "
    "buoy, and then they turned back. When we call, we listen for small things: a breath, a pause, the end of a question. "
    "Please read me the number once more, slowly. It was nine, four, six, then zero. Thank you, that is what I wrote down."
)
RATE = 16000


def _wav(path):
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE and file.getnchannels() == 1 and file.getsampwidth() == 2, path
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)


def _raw(path):
    return np.fromfile(path, "<i2").astype(np.float32)


def _synthesised(command, path):
    subprocess.run([*command, str(path)], check=True, stdout=subprocess.DEVNULL)
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    if rate != RATE:
        from scipy.signal import resample_poly

        pcm = resample_poly(pcm, RATE, rate)
    return pcm


def talkers(folder):
    """Makes the files that are missing; name -> path."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / "scratch.wav"
    recipes = {
        "austen": lambda: [_wav(p) for p in sorted((DATA / "librivox").glob("*.wav"))],
        "cards": lambda: [_wav(p) for p in sorted((DATA / "cards").glob("*.wav"))],
        "robot": lambda: [_raw(DATA / f) for f in ("goforward.raw", "something.raw", "numbers.raw")],
        "slt": lambda: [_synthesised(["flite", "-voice", "slt", "-t", TEXT, "-o"], scratch)],
        "rms": lambda: [_synthesised(["flite", "-voice", "rms", "-t", TEXT, "-o"], scratch)],
        "espeak": lambda: [_synthesised(["espeak-ng", "-v", "en-gb", "-s", "150", TEXT, "-w"], scratch)],
    }
    made = {}
    for name, recipe in recipes.items():
        path = made[name] = folder / f"{name}.wav"
        if path.exists():
            continue
        gap = np.zeros(RATE // 3, np.float32)
        pcm = np.concatenate([part for piece in recipe() for part in (piece, gap)])
        # The same loudness for all: the level of what is not silent.
        loud = pcm[np.abs(pcm) > 200]
        pcm = np.clip(pcm * (2500 / np.sqrt(np.mean(loud**2))), -32000, 32000)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(pcm.astype("<i2").tobytes())
    scratch.unlink(missing_ok=True)
    return made
