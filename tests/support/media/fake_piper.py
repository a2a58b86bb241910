"""A program with Piper's options that hums a tenth of a second for each letter."""

from __future__ import annotations

import argparse
import math
import os
import struct
import sys
import wave
from pathlib import Path

RATE = 16_000


def main() -> None:
    """Speak, or obey the text: fail, use too much memory, or report what the child can see."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-m", type=Path, required=True)
    parser.add_argument("-i", type=Path, required=True)
    parser.add_argument("-f", type=Path)
    parser.add_argument("-d", type=Path)
    options = parser.parse_args()
    assert options.m.read_bytes() == b"a model"
    text = options.i.read_text(encoding="utf-8")
    if "choke" in text:
        sys.exit("wave.Error: # channels not specified")
    if "gorge" in text:
        bytearray(8 * 1024**3)
    if "vanish" in text:
        os.kill(os.getpid(), 9)
    if "look around" in text:
        Path("seen").write_text(f"{sys.argv}\n{os.environ}", encoding="utf-8")
    if options.f:
        write(options.f, text)
    for number, line in enumerate(text.splitlines(), 1 << 40) if options.d else ():
        if not any(map(str.isalnum, line)):
            sys.exit("wave.Error: # channels not specified")
        write(options.d / f"{number}.wav", line)


def write(path: Path, text: str) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        samples = (int(9000 * math.sin(n / 8)) for n in range(len(text) * RATE // 10))
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


if __name__ == "__main__":
    main()
