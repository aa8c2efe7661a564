"""Everything drawn by lot, and how a source system would write it down."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from fernhill.world import DAYS, END, START

T = TypeVar("T")
Row = tuple[object, ...]

LAST_MOMENT = datetime(2026, 6, 30, 23, 59, 59)
# Months that sell less or more than others.
_SEASON = (0.75, 0.7, 0.85, 0.9, 1.0, 1.05, 0.95, 0.9, 0.85, 0.9, 1.5, 1.6)
# Two months are missing from the feed on purpose; the models carry the last rate forward.
_MISSING_RATES = {(date(2025, 4, 1), "USD"), (date(2025, 12, 1), "GBP")}


def ts(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S")


def iso(value: datetime | None) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


def write(folder: Path, name: str, header: str, rows: Iterable[Sequence[object]]) -> None:
    """A seed file; ``header`` is its columns with blanks between."""
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header.split())
        writer.writerows(rows)


class Chance:
    """One seeded source of chance: the order in which it is asked decides the bytes."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def share(self, chance: float) -> bool:
        return self.rng.random() < chance

    def pick(self, weighted: Mapping[T, float]) -> T:
        return self.rng.choices(list(weighted), weights=list(weighted.values()))[0]

    def moment(self, day: date, low: int = 6, high: int = 22) -> datetime:
        hours = self.rng.randint(low, high)
        minutes, seconds = self.rng.randint(0, 59), self.rng.randint(0, 59)
        return midnight(day) + timedelta(hours=hours, minutes=minutes, seconds=seconds)

    def untidy(self, text: str, chance: float = 0.12) -> str:
        """Upper case, a stray blank or title case, as several source systems would write it."""
        if not text or self.rng.random() > chance:
            return text
        return self.rng.choice([text.upper(), text + " ", " " + text, text.title()])

    def loaded(self, at: datetime) -> str:
        """When a row reached the warehouse; a few arrive late."""
        delay = timedelta(hours=self.rng.randint(1, 6))
        if self.rng.random() < 0.03:
            delay = timedelta(days=self.rng.randint(2, 12), hours=self.rng.randint(0, 20))
        return ts(min(at + delay, LAST_MOMENT))

    def trading_day(self, earliest: date = START) -> date:
        """A day from ``earliest`` on, more often late and around the season's peaks."""
        while True:
            day = START + timedelta(days=self.rng.randint(0, DAYS - 1))
            if day < earliest:
                continue
            weight = 0.45 + 0.55 * (day - START).days / DAYS
            weight *= _SEASON[day.month - 1]
            weight *= 1.25 if day.weekday() >= 4 else 0.9
            if self.rng.random() * 2.1 < weight:
                return day


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


class Rates:
    """Monthly rates: euros for one unit."""

    def __init__(self, chance: Chance) -> None:
        self._rates: dict[tuple[date, str], float] = {}
        for currency, level in (("USD", 0.915), ("GBP", 1.158)):
            month = START
            while month <= END:
                level *= 1 + chance.rng.uniform(-0.014, 0.013)
                self._rates[(month, currency)] = round(level, 4)
                month = (month + timedelta(days=32)).replace(day=1)
        for month, currency in _MISSING_RATES:
            before = (month - timedelta(days=1)).replace(day=1)
            self._rates[(month, currency)] = self._rates[(before, currency)]

    def at(self, day: date, currency: str) -> float:
        return self._rates[(day.replace(day=1), currency)] if currency != "EUR" else 1.0

    def rows(self) -> list[Row]:
        given = (key for key in self._rates if key not in _MISSING_RATES)
        return [(*key, self._rates[key]) for key in given]
