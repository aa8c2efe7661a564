"""Stores, products, campaigns and what was spent on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from fernhill.chance import Chance, Row, ts, write
from fernhill.world import CAMPAIGNS, CATEGORIES, COUNTRIES, END, START, STORES, SUPPLIERS, Campaign


@dataclass(frozen=True)
class Product:
    """A product on sale; ``pull`` is how much people want it."""

    id: int
    launched: date
    gone: date | None
    pull: float
    price: float

    def is_sold(self, day: date) -> bool:
        return self.launched <= day and (not self.gone or day < self.gone)


@dataclass(frozen=True)
class Running:
    """A campaign while it brings customers."""

    id: int
    channel: str
    begin: date
    end: date
    countries: list[str]
    sandbox: bool

    def reaches(self, country: str, day: date) -> bool:
        return self.begin <= day <= self.end and country in self.countries and not self.sandbox


def stores(folder: Path, chance: Chance) -> None:
    rows: list[Row] = []
    for at, store in enumerate(STORES, 1):
        country = COUNTRIES[store.country]
        code = chance.untidy(country.code, 0.3)
        place = (at, store.name, store.city, code, store.region, store.format, store.time_zone)
        size = (country.currency, store.floor_m2, store.staff)
        rows.append((*place, *size, store.manager, store.opened, store.closed))
    header = "id name city country_code sales_region store_format time_zone currency floor_area_m2 "
    write(folder, "raw_stores", header + "employee_count manager opened_on closed_on", rows)


def products(folder: Path, chance: Chance) -> dict[str, list[Product]]:
    """Writes the products and returns them by category."""
    rows: list[Row] = []
    made: dict[str, list[Product]] = {}
    number = 100
    for category, said in CATEGORIES.items():
        for subcategory, entries in said.products.items():
            for name, price in entries:
                number += 1
                row, product = _product(chance, number, category, subcategory, name, price)
                rows.append(row)
                made.setdefault(category, []).append(product)
    header = "id sku name category subcategory brand supplier_country list_price_eur unit_cost_eur "
    header += "weight_grams launched_on discontinued_on stock_quantity reorder_point "
    write(folder, "raw_products", header + "is_subscribable updated_at", rows)
    return made


def _product(
    chance: Chance, number: int, category: str, subcategory: str, name: str, price: float
) -> tuple[Row, Product]:
    rng, said = chance.rng, CATEGORIES[category]
    if chance.share(0.72):
        launched = START - timedelta(days=rng.randint(60, 1400))
    else:
        launched = START + timedelta(days=rng.randint(20, 700))
    gone = None
    if chance.share(0.13):
        ends = max(launched, START) + timedelta(days=rng.randint(200, 600))
        gone = ends if ends < END else None
    cost = round(price * rng.uniform(0.38, 0.68), 2)
    grams: int | str = rng.randint(*said.grams) if rng.random() > 0.08 else ""
    updated = chance.moment(launched) + timedelta(days=rng.randint(0, 200))
    row = (
        number,
        f"FH-{category[:2].upper()}-{number}",
        f" {name} " if chance.share(0.05) else name,
        chance.untidy(category),
        subcategory,
        rng.choice(said.brands),
        rng.choice(SUPPLIERS),
        price,
        cost,
        grams,
        launched,
        gone or "",
        rng.randint(0, 320) ** 2 // 320,
        rng.choice([10, 15, 20, 30, 40, 60]),
        int(category == "coffee_beans" or chance.share(0.08)),
        ts(min(updated, datetime(2026, 6, 29))),
    )
    return row, Product(number, launched, gone, rng.paretovariate(1.3), price)


def campaigns(folder: Path, chance: Chance) -> list[Running]:
    """Writes the campaigns with their weekly spend and returns them as they ran."""
    rows: list[Row] = []
    spend: list[Row] = []
    running: list[Running] = []
    for at, campaign in enumerate(CAMPAIGNS, 1):
        begin = date.fromisoformat(campaign.start)
        end = begin + timedelta(weeks=campaign.weeks) - timedelta(days=1)
        sandbox = "Sandbox" in campaign.name
        name = campaign.name if chance.rng.random() > 0.2 else campaign.name + "  "
        countries = campaign.countries
        planned = campaign.weekly * 0.2 * campaign.weeks * len(countries)
        budget = round(planned * chance.rng.uniform(0.85, 1.2), -1)
        said = (at, name, campaign.channel, campaign.objective, campaign.team, begin)
        rows.append((*said, end if end <= END else "", budget, int(sandbox)))
        running.append(Running(at, campaign.channel, begin, end, countries, sandbox))
        for week in range(campaign.weeks):
            day = begin + timedelta(weeks=week)
            if day > END:
                break
            if campaign.weeks > 100 and week % 2:  # always-on ones are billed every second week
                continue
            for country in countries:
                _spend(chance, spend, at, campaign, day, country)
    header = "id name channel objective owner_team started_on ended_on budget_eur is_sandbox"
    write(folder, "raw_campaigns", header, rows)
    header = "id campaign_id week_start channel country_code currency spend impressions clicks "
    write(folder, "raw_marketing_spend", header + "is_estimated loaded_at", spend)
    return running


def _spend(
    chance: Chance, spend: list[Row], campaign_id: int, campaign: Campaign, week: date, name: str
) -> None:
    rng, country, channel = chance.rng, COUNTRIES[name], campaign.channel
    number = _last_id(spend) + 1
    doubled = 2 if campaign.weeks > 100 else 1
    amount = round(campaign.weekly * 0.2 * rng.uniform(0.6, 1.45) * doubled, 2)
    clicks: int | str = (counted := int(amount / rng.uniform(0.35, 1.9)))
    views = counted * rng.randint(18, 95)
    if channel == "out_of_home":
        views, clicks = int(amount * rng.uniform(30, 60)), ""
    estimated = int(week > END - timedelta(days=24) or chance.share(0.015))
    billed = week + timedelta(days=7)
    at = chance.moment(billed) if billed <= END else datetime(2026, 6, 30, 5, 0)
    head = (number, campaign_id, week, chance.untidy(channel), country.code, country.currency)
    row = (*head, f"{amount:.2f}", views, clicks, estimated, chance.loaded(at))
    if chance.share(0.03):  # first reported as an estimate, restated later
        guess = f"{amount * rng.uniform(0.7, 1.3):.2f}"
        spend.append((*head, guess, views, clicks, 1, ts(at - timedelta(hours=30))))
    spend.append(row)


def _last_id(rows: list[Row]) -> int:
    found = rows[-1][0] if rows else 0
    assert isinstance(found, int)
    return found
