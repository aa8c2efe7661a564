"""Customers, and what the other files must know of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from fernhill.chance import Chance, Row, ts, write
from fernhill.supply import Running
from fernhill.world import COUNTRIES, FIRST_NAMES, LAST_NAMES, START


@dataclass(frozen=True)
class Person:
    """A customer; ``pull`` is how often they buy."""

    id: int
    country: str
    currency: str
    day: date
    test: bool
    pull: float


def customers(folder: Path, chance: Chance, campaigns: list[Running]) -> list[Person]:
    """Writes the customers, some of them twice, and returns each once."""
    rows: list[Row] = []
    people: list[Person] = []
    for number in range(1001, 1001 + 640):
        rng = chance.rng
        day = START - timedelta(days=rng.randint(1, 500)) if chance.share(0.26) else None
        day = day or chance.trading_day()
        country = chance.pick({name: said.weight for name, said in COUNTRIES.items()})
        test = number % 41 == 7
        row, at = _customer(chance, number, day, country, test, campaigns)
        rows.append(row)
        if chance.share(0.02):  # profile edited and delivered a second time
            edited = ts(min(at + timedelta(days=20), datetime(2026, 6, 30)))
            rows.append((*row[:9], "silver", *row[10:12], edited))
        pull = rng.paretovariate(1.05) if rng.random() > 0.12 else 0.0
        currency = COUNTRIES[country].currency
        people.append(Person(number, country, currency, max(day, START), test, pull))
    chance.rng.shuffle(rows)
    header = "id full_name email country city signup_channel campaign_id signed_up_at birth_year "
    write(
        folder, "raw_customers", header + "loyalty_tier marketing_opt_in language loaded_at", rows
    )
    return people


def _customer(
    chance: Chance, number: int, day: date, country: str, test: bool, campaigns: list[Running]
) -> tuple[Row, datetime]:
    rng, said = chance.rng, COUNTRIES[country]
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    domain = "fernhill.test" if test else rng.choice(["example.com", "example.org", "mail.example"])
    email = f"{first}.{last}{number}@{domain}".lower().replace("ö", "oe")
    campaign, channel = _source(chance, [c for c in campaigns if c.reaches(country, day)])
    at = chance.moment(day, 5, 23)
    code = said.code
    spellings = {code: 74, code.lower(): 8, country: 10, country.upper(): 4, code + " ": 4}
    written = chance.pick(spellings)
    born = int(rng.triangular(1952, 2008, 1991)) if rng.random() > 0.11 else ""
    name = f"{first} {last}" if rng.random() > 0.08 else f" {first.upper()} {last.upper()}"
    given = "" if chance.share(0.02) else chance.untidy(email, 0.1)
    row = (
        number,
        name,
        given,
        written,
        _city(chance, said.cities) if rng.random() > 0.02 else "",
        chance.untidy(channel),
        campaign,
        ts(at),
        born,
        chance.pick({"none": 48, "bronze": 27, "silver": 16, "gold": 9}),
        chance.pick({1: 61, 0: 33, "": 6}),
        said.language if rng.random() > 0.1 else "en",
        chance.loaded(at),
    )
    return row, at


def _city(chance: Chance, cities: list[str]) -> str:
    """The larger cities come first."""
    return chance.rng.choices(cities, weights=range(len(cities) + 2, 2, -1))[0]


def _source(chance: Chance, running: list[Running]) -> tuple[int | str, str]:
    """The campaign that brought a customer, if any, and the channel."""
    if running and chance.share(0.62):
        campaign = chance.rng.choice(running)
        return campaign.id, campaign.channel
    weights = {"organic_search": 34, "referral": 17, "store_visit": 21, "paid_search": 12}
    return "", chance.pick({**weights, "email": 6, "affiliate": 5})
