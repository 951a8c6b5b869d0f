"""What one flush to this disk takes: no answer leaves before its record is flushed, so no call can be faster."""

import os
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
