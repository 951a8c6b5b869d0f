"""The table that the run ends with."""

from generators import Latency, Throughput

HEAD = ("", "calls/s", "p50 ms", "p99 ms", "value", "aim", "")


class Comparison:
    """Rows of one quantity each: ours, a rival's, a floor's, and how many times better ours is than each of them."""

    HEAD = ("", "unit", "medvan", "Orthanc", "floor", "× Orthanc", "aim", "", "× floor", "aim", "")

    def __init__(self) -> None:
        self._rows: list[tuple[str, ...]] = [self.HEAD]

    def more(
        self, name: str, unit: str, ours: float, rival: float | None, floor: float | None = None, **aims: float
    ) -> None:
        """The more the better: throughput. `of_rival` and `of_floor` are the least ratios that are aimed at."""
        times_rival = ours / rival if rival else None
        times_floor = ours / floor if floor else None
        self._row(name, unit, (ours, rival, floor), times_rival, times_floor, aims, lambda times, aim: times >= aim)

    def less(self, name: str, unit: str, ours: float, rival: float | None, **aims: float) -> None:
        """The less the better: memory. `of_rival` is the largest ratio that is aimed at."""
        times = ours / rival if rival else None
        self._row(name, unit, (ours, rival, None), times, None, aims, lambda times, aim: times <= aim)

    def value(self, name: str, unit: str, ours: float, aim: str = "", met: bool | None = None) -> None:
        """A quantity of ours alone."""
        self._rows.append((name, unit, _short(ours), "", "", "", aim, _verdict(met), "", "", ""))

    def text(self, title: str) -> str:
        return "\n".join([title, *_aligned(self._rows)])

    def _row(self, name, unit, values, times_rival, times_floor, aims, met) -> None:
        sign = "≥" if self._is_more(met) else "≤"
        cells = [name, unit, *map(_short, values)]
        for times, key in ((times_rival, "of_rival"), (times_floor, "of_floor")):
            aim = aims.get(key)
            judged = times is not None and aim is not None
            cells += [_short(times), f"{sign} {aim:g}" if judged else "", _verdict(met(times, aim) if judged else None)]
        self._rows.append(tuple(cells))

    @staticmethod
    def _is_more(met) -> bool:
        return met(2, 1)


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
        return "\n".join([title, *_aligned(self._rows)])

    def _row(self, *cells: str) -> None:
        self._rows.append((*cells, *[""] * (len(HEAD) - len(cells))))


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _verdict(met: bool | None) -> str:
    return "" if met is None else "met" if met else "MISSED"
