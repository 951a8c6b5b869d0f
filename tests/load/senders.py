"""Who sends and fetches images in the measurement: bare sockets, so that the clients cost as little as they can, wrk
for many small requests, and dcmtk's storescu for C-STORE. All archives get the same senders with the same bytes."""

import re
import socket
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from archives import SENDER, Archive
from generators import Throughput
from images import BOUNDARY

HERE = Path(__file__).parent
ONE_FILE = 'multipart/related; type="application/dicom"; transfer-syntax=*'
DICOM_JSON = "application/dicom+json"
BUFFER = 1 << 20


def stow(archive: Archive, body: bytes) -> float:
    """Seconds of one Store transaction, from the first byte out to the last byte of the answer in."""
    connection = _connected(archive.dicom_web)
    with connection:
        start = time.monotonic()
        _store(connection, archive.dicom_web, body, "close")
        status, _ = _answer(connection)
        seconds = time.monotonic() - start
    if status != 200:
        raise SystemExit(f"{archive.name}: STOW was answered with {status}")
    return seconds


def stow_at_once(archive: Archive, shares: list[list[bytes]]) -> float:
    """Seconds until so many clients, each with its own connection kept, have stored all their bodies one by one."""
    failed: list[int] = []

    def client(bodies: list[bytes]) -> None:
        with _connected(archive.dicom_web) as connection:
            for body in bodies:
                _store(connection, archive.dicom_web, body, "keep-alive")
                status, _ = _answer(connection)
                if status != 200:
                    failed.append(status)

    threads = [threading.Thread(target=client, args=(bodies,)) for bodies in shares]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{archive.name}: STOW was answered with {set(failed)}")
    return time.monotonic() - start


def fetch(url: str, accept: str = ONE_FILE) -> tuple[float, int]:
    """Seconds and bytes of one GET."""
    with _connected(url) as connection:
        start = time.monotonic()
        at = urlsplit(url)
        head = f"GET {at.path} HTTP/1.1\r\nHost: {at.netloc}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        status, size = _answer(connection)
        seconds = time.monotonic() - start
    if status != 200:
        raise SystemExit(f"{url}: {status}")
    return seconds, size


def fetch_many(base: str, paths: list[str], accept: str, folder: Path, seconds: float, connections: int) -> Throughput:
    """wrk over a list of paths, round and round."""
    listed = folder / "paths.txt"
    listed.write_text("\n".join(paths), encoding="ascii")
    script = [str(HERE / "paths.lua"), base, "--", str(listed), accept]
    threads = str(min(2, connections))
    command = ["wrk", "-t", threads, "-c", str(connections), "-d", f"{seconds:.0f}s", "--timeout", "60s", "--latency"]
    done = subprocess.run([*command, "-s", *script], capture_output=True, text=True, timeout=300)
    output = done.stdout
    if done.returncode != 0 or (refused := re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output)):
        raise SystemExit(f"{base}{paths[0]}: {done.stderr}{output if done.returncode else refused.group(0)}")
    per_second = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
    return Throughput(per_second, _milliseconds(output, "50%"), _milliseconds(output, "99%"))


def c_store(archive: Archive, folder: Path) -> float:
    """Seconds of storescu for all files of a folder over one association."""
    to = ["-aet", SENDER, "-aec", archive.ae_title, "127.0.0.1", str(archive.dicom_port)]
    start = time.monotonic()
    done = subprocess.run(["storescu", "+sd", *to, folder], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise SystemExit(f"{archive.name}: storescu: {done.stdout}{done.stderr}")
    return time.monotonic() - start


def _connected(url: str) -> socket.socket:
    at = urlsplit(url)
    connection = socket.create_connection((at.hostname, at.port), timeout=600)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _store(connection: socket.socket, root: str, body: bytes, afterwards: str) -> None:
    at = urlsplit(root)
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    head = f"POST {at.path}/studies HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Type: {kind}\r\nAccept: {DICOM_JSON}\r\n"
    head += f"Content-Length: {len(body)}\r\nConnection: {afterwards}\r\n\r\n"
    connection.sendall(head.encode())
    connection.sendall(body)


def _answer(connection: socket.socket) -> tuple[int, int]:
    """Status and bytes of the body; reads to the length that was told, the last chunk or the connection's end."""
    buffer, start = bytearray(BUFFER), b""
    while b"\r\n\r\n" not in start:
        count = connection.recv_into(buffer)
        if count == 0:
            raise SystemExit("the connection ended before an answer")
        start += buffer[:count]
    head, _, rest = start.partition(b"\r\n\r\n")
    status, size = int(head.split(b" ", 2)[1]), len(rest)
    length = re.search(rb"content-length: *(\d+)", head, re.I)
    chunked = re.search(rb"transfer-encoding: *chunked", head, re.I)
    wanted, tail = int(length.group(1)) if length else None, rest[-5:]
    while wanted is None or size < wanted:
        if chunked and tail.endswith(b"0\r\n\r\n"):
            break
        count = connection.recv_into(buffer)
        if count == 0:
            break
        size, tail = size + count, (tail + buffer[max(0, count - 5) : count])[-5:]
    return status, size


def _milliseconds(output: str, share: str) -> float:
    number, unit = re.search(rf"^ +{share} +([\d.]+)(us|ms|s|m)", output, re.M).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]
