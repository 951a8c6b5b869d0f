"""Resident memory of the gateway while so many calls wait for a slow service."""

import resource
import selectors
import socket
import time
from urllib.parse import urlsplit

from gateway import Gateway


def in_flight(gateway: Gateway, url: str, body: bytes, calls: int) -> float:
    """Sends the calls at once, each on its own connection, and returns the largest size seen until all are answered."""
    allow_files(calls * 2)
    selector, waiting = selectors.DefaultSelector(), {}
    for _ in range(calls):
        connection = _send(url, body)
        waiting[connection] = b""
        selector.register(connection, selectors.EVENT_READ)
    largest, end = 0.0, time.monotonic() + 30
    while waiting and time.monotonic() < end:
        largest = max(largest, gateway.resident_mb())
        for key, _ in selector.select(0.05):
            _read(key.fileobj, waiting, selector)
    if waiting:
        raise SystemExit(f"{len(waiting)} of {calls} calls in flight were not answered")
    return largest


def allow_files(count: int) -> None:
    """Raises the limit of open files of this process and its children as far as it may go."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(max(soft, count + 1024), hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _send(url: str, body: bytes) -> socket.socket:
    at = urlsplit(url)
    head = f"POST {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Type: application/json\r\n"
    connection = socket.create_connection((at.hostname, at.port))
    connection.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    return connection


def _read(connection: socket.socket, waiting: dict, selector: selectors.BaseSelector) -> None:
    part = connection.recv(65536)
    waiting[connection] += part
    if part:
        return
    answer = waiting.pop(connection)
    selector.unregister(connection)
    connection.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"a call in flight was answered with {answer[:40]!r}")
