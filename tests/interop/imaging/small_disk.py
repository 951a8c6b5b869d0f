"""A file system with little room, in the gateway's own namespace: no privileges are needed and nothing is left behind."""

import shutil
import subprocess
from pathlib import Path

BALLAST = "ballast"


def inside(folder: Path, megabytes: int) -> tuple[str, ...]:
    """The words that run a program with a disk of that size mounted on `folder`."""
    mount = f'mount -t tmpfs -o size={megabytes}m,mode=700 none "$0" && exec "$@"'
    return ("unshare", "--user", "--mount", "--map-root-user", "sh", "-c", mount, str(folder))


def why_not() -> str | None:
    """Why there can be no such disk on this machine."""
    if not shutil.which("unshare"):
        return "unshare (util-linux) is not there"
    command = [*inside(Path("/mnt"), 1), "true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return None if done.returncode == 0 else f"no file system can be mounted in a namespace: {done.stderr.strip()}"


class Ballast:
    """A file that takes all room but some."""

    def __init__(self, folder: Path):
        self._path = folder / BALLAST

    def leaves(self, room: int) -> None:
        """At most so many bytes, and no less than a page below."""
        self.goes()
        with self._path.open("wb") as file:
            left = shutil.disk_usage(self._path.parent).free - room
            block = bytes(1 << 16)
            while left > 0:
                left -= file.write(block[:left])

    def goes(self) -> None:
        self._path.unlink(missing_ok=True)
