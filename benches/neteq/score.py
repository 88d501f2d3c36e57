"""Quality of what was heard: PLCMOS v2 on the output alone, PESQ-WB (P.862.2) against the speech, in segments of 10 s."""

import numpy as np
import soundfile
from pesq import pesq
from scipy.signal import correlate, resample_poly
from speechmos import plcmos

RATE = 16000
SEGMENT = 10 * RATE


def _read(path):
    pcm, rate = soundfile.read(path, dtype="float32")
    return pcm if rate == RATE else resample_poly(pcm, RATE, rate).astype(np.float32)


def _align(reference, heard):
    """The part of `heard` that is most like `reference`."""
    lag = int(np.argmax(correlate(heard, reference, mode="valid", method="fft")))
    return heard[lag : lag + len(reference)]


def score(speech, wav, seconds):
    """Means over the segments: {"plcmos", "plcmos_worst", "pesq"}."""
    source = _read(speech)
    reference = np.resize(source, int(seconds * RATE))
    heard = _read(wav)
    mos, quality = [], []
    for start in range(0, len(reference) - 2 * SEGMENT, SEGMENT):
        # The first second belongs to the start of the call.
        begin = start + RATE
        want = reference[begin : begin + SEGMENT]
        around = heard[max(begin - RATE // 2, 0) : begin + SEGMENT + RATE]
        if len(around) < SEGMENT:
            break
        got = _align(want, around)
        mos.append(plcmos.run(got, RATE)["plcmos"])
        quality.append(pesq(RATE, want, got, "wb"))
    return {"plcmos": float(np.mean(mos)), "plcmos_worst": float(np.min(mos)), "pesq": float(np.mean(quality))}
