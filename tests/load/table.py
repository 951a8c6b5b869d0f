"""The table that the run ends with."""

from generators import Latency, Throughput

HEAD = ("", "calls/s", "p50 ms", "p99 ms", "value", "aim", "")


class Table:
    """Rows in the order in which they were measured."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, ...]] = [HEAD]

    def throughput(self, name: str, found: Throughput) -> None:
        self._row(name, f"{found.per_second:.0f}", f"{found.p50_ms:.2f}", f"{found.p99_ms:.2f}")

    def latency(self, name: str, found: Latency, aim: str = "", met: bool | None = None) -> None:
        self._row(name, "", f"{found.p50_ms:.2f}", f"{found.p99_ms:.2f}", "", aim, _verdict(met))

    def number(self, name: str, value: float, unit: str) -> None:
        self._row(name, "", "", "", f"{value:.2f} {unit}" if value < 10 else f"{value:.0f} {unit}")

    def aim(self, name: str, value: float, aim: str, met: bool) -> None:
        self._row(name, "", "", "", f"{value:.2f}" if value < 10 else f"{value:.0f}", aim, _verdict(met))

    def text(self, title: str) -> str:
        widths = [max(len(row[column]) for row in self._rows) for column in range(len(HEAD))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in self._rows]
        return "\n".join([title, *lines])

    def _row(self, *cells: str) -> None:
        self._rows.append((*cells, *[""] * (len(HEAD) - len(cells))))


def _verdict(met: bool | None) -> str:
    return "" if met is None else "met" if met else "MISSED"
