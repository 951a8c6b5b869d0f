"""What one flush to this disk takes: no answer leaves before its record is flushed, so no call can be faster."""

import os
import tempfile
import time
from pathlib import Path

from generators import Latency, percentile

FLUSHES = 400


def flush(folder: Path) -> Latency:
    """Appends of 8 KB, each followed by fdatasync, as a database's log does it; nothing else running."""
    file = folder / "flushed"
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY)
    times = []
    for _ in range(FLUSHES):
        os.write(descriptor, bytes(8192))
        start = time.perf_counter()
        os.fdatasync(descriptor)
        times.append((time.perf_counter() - start) * 1000)
    os.close(descriptor)
    file.unlink()
    times.sort()
    return Latency(percentile(times, 0.50), percentile(times, 0.99))


def write(folder: Path, files: list[bytes]) -> float:
    """Seconds of writing these files one by one, each of them and their folder flushed: what durability costs alone.

    They stay, as an archive's do: memory that was just given back is written into several times faster than fresh one."""
    name = tempfile.mkdtemp(dir=folder)
    start = time.monotonic()
    for number, file in enumerate(files):
        handle = os.open(f"{name}/{number}", os.O_WRONLY | os.O_CREAT)
        os.write(handle, file)
        os.fsync(handle)
        os.close(handle)
    handle = os.open(name, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    return time.monotonic() - start
