"""Programs that a test starts and that end with it."""

import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

LOWEST_PORT = 16384


class Process:
    """A program with its output in a file; `stop` ends it politely, then by force."""

    def __init__(self, command: list[str], log: Path, env: dict[str, str] | None = None):
        self.log = log
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for_port(self, port: int, seconds: float = 30) -> None:
        """Returns once something accepts connections on the port; fails early if the program ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._child.poll() is not None:
                raise AssertionError(f"the program ended with {self._child.returncode}:\n{self.output()}")
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"nothing answers on port {port} after {seconds} s:\n{self.output()}")

    def dies(self) -> None:
        """Ended by force in the middle of whatever it does."""
        self._child.kill()
        self._child.wait()

    def lives(self) -> bool:
        return self._child.poll() is None

    def stop(self) -> None:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody uses, and that stays free while who listened there is away.

    One that the system hands out to clients would not: a client that asks again and again for a server that is down is now and then
    given the server's own port, is connected to itself, and the server cannot come back."""
    while True:
        port = random.randrange(LOWEST_PORT, first_port_of_clients())
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def first_port_of_clients() -> int:
    """ip(7): the range that ports of clients are taken from begins here."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    return max(first, LOWEST_PORT + 1000)
