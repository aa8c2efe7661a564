"""What Fernhill is, as read from ``world.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

SEED = 20260630
START = date(2024, 1, 1)
END = date(2026, 6, 30)
DAYS = (END - START).days + 1


@dataclass(frozen=True)
class Country:
    code: str
    currency: str
    language: str
    weight: int
    cities: list[str]


@dataclass(frozen=True)
class Store:
    name: str
    city: str
    country: str
    region: str
    format: str
    time_zone: str
    floor_m2: int
    staff: int
    manager: str
    opened: str
    closed: str
    weight: int

    def is_open(self, day: date) -> bool:
        return self.opened <= day.isoformat() <= (self.closed or "9999")


@dataclass(frozen=True)
class Category:
    """``products`` are (name, price) by subcategory."""

    weight: int
    grams: tuple[int, int]
    brands: list[str]
    products: dict[str, list[tuple[str, float]]]


@dataclass(frozen=True)
class Campaign:
    name: str
    channel: str
    objective: str
    team: str
    start: str
    weeks: int
    countries: list[str]
    weekly: float


@dataclass(frozen=True)
class Plan:
    """A subscription plan; ``price`` is a month's in local money."""

    name: str
    category: str
    interval: str
    price: float
    weight: int


@dataclass(frozen=True)
class Promo:
    code: str
    kind: str
    value: int
    valid_from: str
    valid_to: str

    def is_valid(self, day: date) -> bool:
        return self.valid_from <= day.isoformat() <= (self.valid_to or "9999")


with (Path(__file__).parent / "world.toml").open("rb") as _file:
    _WORLD = tomllib.load(_file)

COUNTRIES = {name: Country(**said) for name, said in _WORLD["countries"].items()}
STORES = [Store(*said) for said in _WORLD["stores"]]
CATEGORIES = {name: Category(**said) for name, said in _WORLD["categories"].items()}
CAMPAIGNS = [Campaign(*said) for said in _WORLD["campaigns"]]
PLANS = [Plan(*said) for said in _WORLD["plans"]]
PROMOS = [Promo(*said) for said in _WORLD["promos"]]
SUPPLIERS: list[str] = _WORLD["suppliers"]
FIRST_NAMES: list[str] = _WORLD["first_names"]
LAST_NAMES: list[str] = _WORLD["last_names"]
AGENTS: list[tuple[str, str]] = [(name, team) for name, team in _WORLD["agents"]]
