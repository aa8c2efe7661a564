"""Write the seed files of the Fernhill example project.

Standard library only; the same SEED gives the same bytes. Run from anywhere:
    python scripts/generate_seeds.py [output folder]
"""

from __future__ import annotations

import csv
import random
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

SEED = 20260630
START = date(2024, 1, 1)
END = date(2026, 6, 30)
DAYS = (END - START).days + 1

COUNTRIES = {  # name: (code, currency, language, weight, cities)
    "Germany": ("DE", "EUR", "de", 30, ["Berlin", "Hamburg", "Munich", "Cologne", "Leipzig"]),
    "United Kingdom": ("GB", "GBP", "en", 24, ["London", "Manchester", "Bristol", "Leeds", "Edinburgh"]),
    "United States": ("US", "USD", "en", 19, ["New York", "Portland", "Denver", "Seattle", "Boston"]),
    "France": ("FR", "EUR", "fr", 13, ["Paris", "Lyon", "Grenoble", "Nantes"]),
    "Netherlands": ("NL", "EUR", "nl", 9, ["Amsterdam", "Utrecht", "Rotterdam"]),
    "Austria": ("AT", "EUR", "de", 5, ["Vienna", "Innsbruck", "Graz"]),
}

STORES = [  # name, city, country, region, format, zone, m2, staff, manager, opened, closed, weight
    ("Fernhill Berlin Mitte", "Berlin", "Germany", "DACH", "flagship", "Europe/Berlin", 640, 24, "Katrin Vogel", "2019-04-06", "", 24),
    ("Fernhill Hamburg", "Hamburg", "Germany", "DACH", "standard", "Europe/Berlin", 310, 11, "Jonas Petersen", "2021-03-20", "", 12),
    ("Fernhill Munich Outlet", "Munich", "Germany", "DACH", "outlet", "Europe/Berlin", 420, 9, "Sabine Huber", "2022-09-10", "", 10),
    ("Fernhill Paris Marais", "Paris", "France", "Benelux & France", "standard", "Europe/Paris", 280, 10, "Luc Moreau", "2022-05-14", "", 11),
    ("Fernhill Amsterdam", "Amsterdam", "Netherlands", "Benelux & France", "standard", "Europe/Amsterdam", 260, 8, "Femke de Wit", "2021-10-02", "", 9),
    ("Fernhill London Soho", "London", "United Kingdom", "UK", "flagship", "Europe/London", 580, 22, "Imogen Clarke", "2020-02-15", "", 20),
    ("Fernhill Manchester", "Manchester", "United Kingdom", "UK", "pop_up", "Europe/London", 120, 4, "Daniel Okafor", "2024-05-01", "2025-09-30", 5),
    ("Fernhill Brooklyn", "New York", "United States", "North America", "flagship", "America/New_York", 510, 19, "Renee Castillo", "2023-03-18", "", 15),
    ("Fernhill Portland", "Portland", "United States", "North America", "outlet", "America/Los_Angeles", 350, 7, "", "2024-08-24", "", 8),
]

PRODUCTS = {  # category: subcategory: [(name, price)]
    "coffee_beans": {
        "espresso": [("Ridgeline Espresso 1kg", 31.5), ("Ember Espresso 500g", 18.9), ("Night Hike Decaf 500g", 19.9)],
        "filter": [("Morning Fog Filter 500g", 17.9), ("Highland Single Origin 250g", 13.9), ("Cairn Ethiopia 250g", 14.9), ("Summit Kenya 250g", 15.9)],
    },
    "brewing": {
        "manual": [("Trail Pour-Over Set", 42.0), ("Basecamp French Press", 38.5), ("Packable Dripper", 21.0), ("Moka Pot 4 Cup", 34.0)],
        "grinders": [("Hand Grinder One", 89.0), ("Hand Grinder Pro", 149.0), ("Home Burr Grinder", 219.0)],
        "machines": [("Fernhill Espresso Machine", 649.0), ("Compact Filter Machine", 179.0)],
    },
    "camping": {
        "tents": [("Larch 2 Tent", 329.0), ("Larch 3 Tent", 419.0), ("Ultralight Tarp", 119.0)],
        "sleeping": [("Down Bag Minus 5", 289.0), ("Summer Quilt", 169.0), ("Insulated Mat", 99.0)],
        "cooking": [("Gas Stove Mini", 54.0), ("Titanium Pot 900ml", 62.0), ("Camp Cutlery Set", 16.5)],
    },
    "hiking": {
        "packs": [("Daypack 22L", 84.0), ("Trekking Pack 48L", 189.0), ("Hip Pack", 39.0)],
        "footwear": [("Fell Boots", 199.0), ("Trail Runners", 139.0), ("Wool Hiking Socks", 22.0)],
        "accessories": [("Carbon Poles", 129.0), ("Headlamp 400", 49.0), ("Map Case", 14.5)],
    },
    "apparel": {
        "jackets": [("Rain Shell", 179.0), ("Down Jacket", 239.0), ("Wind Vest", 79.0)],
        "base_layers": [("Merino Tee", 64.0), ("Merino Long Sleeve", 79.5), ("Fleece Hoodie", 94.0)],
        "headwear": [("Merino Beanie", 29.0), ("Sun Cap", 27.0)],
    },
    "drinkware": {
        "mugs": [("Enamel Mug", 12.9), ("Double Wall Mug", 18.5), ("Ceramic Cup Pair", 26.0)],
        "bottles": [("Steel Bottle 750ml", 32.0), ("Vacuum Flask 1L", 44.0), ("Soft Flask 500ml", 19.0)],
    },
    "climbing": {
        "ropes": [("Single Rope 60m", 184.0), ("Accessory Cord 6m", 15.5)],
        "hardware": [("Quickdraw Set", 92.0), ("Belay Device", 58.0), ("Chalk Bag", 24.5)],
    },
}
BRANDS = {
    "coffee_beans": ["Fernhill Roastery"], "brewing": ["Fernhill", "Kessel", "Brewright"], "camping": ["Fernhill", "Larkwood", "Nordrand"],
    "hiking": ["Larkwood", "Nordrand", "Fernhill"], "apparel": ["Fernhill", "Nordrand", "Merula"], "drinkware": ["Fernhill", "Kessel"],
    "climbing": ["Larkwood", "Petraline"],
}
CATEGORY_WEIGHT = {"coffee_beans": 34, "brewing": 17, "camping": 11, "hiking": 14, "apparel": 15, "drinkware": 16, "climbing": 5}
WEIGHT_GRAMS = {"coffee_beans": (270, 1080), "brewing": (240, 5200), "camping": (120, 3900), "hiking": (60, 2100), "apparel": (70, 820),
                "drinkware": (110, 640), "climbing": (90, 3800)}
SUPPLIERS = ["Germany", "Portugal", "Italy", "Vietnam", "China", "Sweden"]

CAMPAIGNS = [  # name, channel, objective, team, start, weeks, countries, size
    ("Brand Search EU", "paid_search", "acquisition", "growth", "2024-01-01", 140, ["Germany"], 620),
    ("Brand Search UK", "paid_search", "acquisition", "growth", "2024-01-01", 130, ["United Kingdom"], 540),
    ("Spring Trails 2024", "paid_social", "awareness", "brand", "2024-03-04", 12, ["Germany", "France"], 780),
    ("Coffee Club Launch", "paid_social", "acquisition", "subscriptions", "2024-05-06", 16, ["Germany", "United Kingdom"], 640),
    ("Summer Camp 2024", "influencer", "awareness", "brand", "2024-06-03", 10, ["United Kingdom", "United States"], 900),
    ("US Store Openings", "out_of_home", "awareness", "retail", "2024-08-05", 8, ["United States"], 2100),
    ("Black Week 2024", "paid_social", "acquisition", "growth", "2024-11-11", 4, ["Germany", "United Kingdom", "United States", "France"], 1900),
    ("Winter Win-Back 2024", "email", "reactivation", "crm", "2024-12-02", 8, ["Germany", "United Kingdom"], 140),
    ("Newsletter Always On", "email", "retention", "crm", "2024-01-01", 130, ["Germany"], 85),
    ("Affiliate Outdoor Blogs", "affiliate", "acquisition", "growth", "2024-04-01", 60, ["Germany"], 260),
    ("Affiliate Coffee Blogs", "affiliate", "acquisition", "growth", "2025-02-03", 52, ["United States"], 310),
    ("Spring Trails 2025", "paid_social", "awareness", "brand", "2025-03-03", 14, ["Germany", "Netherlands"], 820),
    ("Gear Club Push", "paid_search", "acquisition", "subscriptions", "2025-01-06", 30, ["United States"], 480),
    ("Summer Camp 2025", "influencer", "awareness", "brand", "2025-06-02", 11, ["United Kingdom", "France"], 980),
    ("Black Week 2025", "paid_social", "acquisition", "growth", "2025-11-10", 4, ["Germany", "United Kingdom", "United States", "Netherlands"], 2300),
    ("Winter Win-Back 2025", "email", "reactivation", "crm", "2025-12-01", 8, ["Germany", "France"], 150),
    ("Radio Test North", "out_of_home", "awareness", "brand", "2025-09-01", 6, ["United Kingdom"], 700),
    ("Pixel Sandbox", "paid_social", "acquisition", "growth", "2024-02-05", 20, ["Germany"], 410),
    ("Loyalty Boost", "email", "retention", "crm", "2025-04-07", 40, ["United Kingdom"], 95),
    ("Spring Trails 2026", "paid_social", "awareness", "brand", "2026-03-02", 24, ["Germany", "United States"], 890),
    ("Creators Coffee 2026", "influencer", "acquisition", "subscriptions", "2026-02-02", 30, ["United States"], 760),
    ("Checkout Sandbox", "paid_search", "acquisition", "growth", "2025-10-06", 12, ["United States"], 530),
]
ORGANIC = ["organic_search", "referral", "store_visit"]

PLANS = [  # name, category of the product, interval, monthly price in local money, weight
    ("Bean Club", "coffee_beans", "monthly", 18.0, 40), ("Espresso Explorer", "coffee_beans", "monthly", 26.0, 22),
    ("Office Roast", "coffee_beans", "quarterly", 79.0, 9), ("Trail Gear Club", "hiking", "quarterly", 24.5, 17),
    ("Fernhill Plus", "drinkware", "yearly", 6.5, 18),
]
PROMOS = [
    ("WELCOME10", "percentage", 10, "2024-01-01", ""), ("SPRING15", "percentage", 15, "2024-03-01", "2024-05-31"),
    ("CAMP20", "percentage", 20, "2024-06-01", "2024-08-31"), ("BLACK25", "percentage", 25, "2024-11-15", "2024-12-02"),
    ("SHIPFREE", "free_shipping", 0, "2024-01-01", ""), ("FLASH5", "fixed_amount", 5, "2024-09-01", "2025-03-31"),
    ("TRAIL15", "percentage", 15, "2025-03-01", "2025-06-15"), ("SUMMER20", "percentage", 20, "2025-06-16", "2025-08-31"),
    ("BLACK30", "percentage", 30, "2025-11-14", "2025-12-01"), ("FRIEND10", "fixed_amount", 10, "2025-01-01", ""),
    ("CREATOR12", "percentage", 12, "2026-02-01", ""),
]
FIRST = "Anna Ben Clara David Elif Felix Greta Hugo Ines Jakob Kira Liam Mona Noah Olivia Paul Quinn Rosa Samir Tessa Uma Victor Wanda Xavier Yara Zoe Amelie Bruno Celine Dylan Emma Finn Grace Harvey Isla Jasper Lotte Maya Nils Priya".split()
LAST = "Abbott Becker Carter Dubois Evans Fischer Garcia Hoffmann Ivanova Jansen Keller Lefevre Meyer Nguyen Osman Peeters Quist Richter Schmidt Turner Ueda Visser Weber Xu Young Zimmer Bauer Collins Dawson Ekström Foster Gruber Hughes Iqbal Jones Klein Laurent Marsh Novak Olsen".split()
AGENTS = [("Mira Thoms", "tier_1"), ("Aaron Blake", "tier_1"), ("Selma Aydin", "tier_1"), ("Pieter Bos", "tier_1"), ("Nora Feld", "tier_2"), ("Colin Reyes", "tier_2"), ("Hannah Jung", "billing")]

rng = random.Random(SEED)


def pick(weighted: dict) -> object:
    keys = list(weighted)
    return rng.choices(keys, weights=[weighted[k] for k in keys])[0]


def ts(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S")


def iso(value: datetime | None) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


def moment(day: date, low: int = 6, high: int = 22) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(hours=rng.randint(low, high), minutes=rng.randint(0, 59), seconds=rng.randint(0, 59))


def untidy(text: str, chance: float = 0.12) -> str:
    """Upper case, a stray blank or title case, as several source systems would write it."""
    if not text or rng.random() > chance:
        return text
    return rng.choice([text.upper(), text + " ", " " + text, text.title()])


def loaded(at: datetime) -> datetime:
    delay = timedelta(hours=rng.randint(1, 6))
    if rng.random() < 0.03:  # late-arriving
        delay = timedelta(days=rng.randint(2, 12), hours=rng.randint(0, 20))
    return min(at + delay, datetime(2026, 6, 30, 23, 59, 59))


def trading_day(earliest: date = START) -> date:
    """A day between earliest and END, more often late in the period and around the season's peaks."""
    while True:
        day = START + timedelta(days=rng.randint(0, DAYS - 1))
        if day < earliest:
            continue
        weight = 0.45 + 0.55 * (day - START).days / DAYS
        weight *= {1: 0.75, 2: 0.7, 3: 0.85, 4: 0.9, 5: 1.0, 6: 1.05, 7: 0.95, 8: 0.9, 9: 0.85, 10: 0.9, 11: 1.5, 12: 1.6}[day.month]
        weight *= 1.25 if day.weekday() >= 4 else 0.9
        if rng.random() * 2.1 < weight:
            return day


def write(folder: Path, name: str, header: list[str], rows: list[tuple]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def fx_rate(day: date, currency: str) -> float:
    return FX[(day.replace(day=1), currency)] if currency != "EUR" else 1.0


# Monthly rates: euros for one unit. Two months are missing from the feed on purpose; the models carry the last rate forward.
FX: dict[tuple[date, str], float] = {}
MISSING_FX = {(date(2025, 4, 1), "USD"), (date(2025, 12, 1), "GBP")}
for _currency, _level in (("USD", 0.915), ("GBP", 1.158)):
    _month = START
    while _month <= END:
        _level *= 1 + rng.uniform(-0.014, 0.013)
        FX[(_month, _currency)] = round(_level, 4)
        _month = (_month + timedelta(days=32)).replace(day=1)
for _month, _currency in MISSING_FX:
    FX[(_month, _currency)] = FX[((_month - timedelta(days=1)).replace(day=1), _currency)]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "raw_fx_rates", ["rate_month", "currency", "eur_per_unit"],
          [(month, currency, rate) for (month, currency), rate in FX.items() if (month, currency) not in MISSING_FX])
    write(folder, "raw_promo_codes", ["code", "promo_type", "discount_value", "valid_from", "valid_to"], PROMOS)

    stores = []
    for i, s in enumerate(STORES, 1):
        stores.append((i, s[0], s[1], untidy(COUNTRIES[s[2]][0], 0.3), s[3], s[4], s[5], COUNTRIES[s[2]][1], s[6], s[7], s[8], s[9], s[10]))
    write(folder, "raw_stores", ["id", "name", "city", "country_code", "sales_region", "store_format", "time_zone", "currency",
                                 "floor_area_m2", "employee_count", "manager", "opened_on", "closed_on"], stores)

    # Products
    products, by_category, price_of = [], {}, {}
    pid = 100
    for category, subs in PRODUCTS.items():
        for sub, entries in subs.items():
            for name, price in entries:
                pid += 1
                launched = START - timedelta(days=rng.randint(60, 1400)) if rng.random() < 0.72 else START + timedelta(days=rng.randint(20, 700))
                gone = ""
                if rng.random() < 0.13:
                    gone = max(launched, START) + timedelta(days=rng.randint(200, 600))
                    gone = gone if gone < END else ""
                cost = round(price * rng.uniform(0.38, 0.68), 2)
                weight = rng.randint(*WEIGHT_GRAMS[category]) if rng.random() > 0.08 else ""
                updated = moment(launched) + timedelta(days=rng.randint(0, 200))
                products.append([pid, f"FH-{category[:2].upper()}-{pid}", f" {name} " if rng.random() < 0.05 else name, untidy(category), sub,
                                 rng.choice(BRANDS[category]), rng.choice(SUPPLIERS), price, cost, weight, launched, gone,
                                 rng.randint(0, 320) ** 2 // 320, rng.choice([10, 15, 20, 30, 40, 60]),
                                 int(category == "coffee_beans" or rng.random() < 0.08), ts(min(updated, datetime(2026, 6, 29)))])
                by_category.setdefault(category, []).append((pid, launched, gone or None, rng.paretovariate(1.3)))
                price_of[pid] = price
    write(folder, "raw_products", ["id", "sku", "name", "category", "subcategory", "brand", "supplier_country", "list_price_eur", "unit_cost_eur",
                                   "weight_grams", "launched_on", "discontinued_on", "stock_quantity", "reorder_point", "is_subscribable", "updated_at"], products)

    # Campaigns and weekly spend
    campaigns, spend, active_campaigns = [], [], []
    sid = 0
    for i, (name, channel, objective, team, start, weeks, countries, weekly) in enumerate(CAMPAIGNS, 1):
        weekly *= 0.2
        begin = date.fromisoformat(start)
        end = begin + timedelta(weeks=weeks) - timedelta(days=1)
        sandbox = "Sandbox" in name
        campaigns.append((i, name if rng.random() > 0.2 else name + "  ", channel, objective, team, begin, end if end <= END else "",
                          round(weekly * weeks * len(countries) * rng.uniform(0.85, 1.2), -1), int(sandbox)))
        active_campaigns.append((i, channel, begin, end, countries, sandbox))
        for w in range(weeks):
            week = begin + timedelta(weeks=w)
            if week > END:
                break
            if weeks > 100 and w % 2:  # always-on campaigns are billed every second week
                continue
            for country in countries:
                sid += 1
                amount = round(weekly * rng.uniform(0.6, 1.45) * (2 if weeks > 100 else 1), 2)
                clicks = int(amount / rng.uniform(0.35, 1.9))
                views = clicks * rng.randint(18, 95)
                if channel == "out_of_home":
                    views, clicks = int(amount * rng.uniform(30, 60)), ""
                estimated = int(week > END - timedelta(days=24) or rng.random() < 0.015)
                at = moment(week + timedelta(days=7)) if week + timedelta(days=7) <= END else datetime(2026, 6, 30, 5, 0)
                row = (sid, i, week, untidy(channel), COUNTRIES[country][0], COUNTRIES[country][1], f"{amount:.2f}", views, clicks, estimated, ts(loaded(at)))
                if rng.random() < 0.03:  # first reported as an estimate, restated later
                    spend.append(row[:6] + (f"{amount * rng.uniform(0.7, 1.3):.2f}",) + row[7:9] + (1, ts(at - timedelta(hours=30))))
                spend.append(row)
    write(folder, "raw_campaigns", ["id", "name", "channel", "objective", "owner_team", "started_on", "ended_on", "budget_eur", "is_sandbox"], campaigns)
    write(folder, "raw_marketing_spend", ["id", "campaign_id", "week_start", "channel", "country_code", "currency", "spend", "impressions", "clicks",
                                          "is_estimated", "loaded_at"], spend)

    # Customers
    customers, people = [], []
    for cid in range(1001, 1001 + 640):
        day = START - timedelta(days=rng.randint(1, 500)) if rng.random() < 0.26 else trading_day()
        country = pick({c: v[3] for c, v in COUNTRIES.items()})
        code, currency, language, _, cities = COUNTRIES[country]
        first, last = rng.choice(FIRST), rng.choice(LAST)
        test = cid % 41 == 7
        email = f"{first}.{last}{cid}@{'fernhill.test' if test else rng.choice(['example.com', 'example.org', 'mail.example'])}".lower().replace("ö", "oe")
        campaign = ""
        running = [c for c in active_campaigns if c[2] <= day <= c[3] and country in c[4] and not c[5]]
        if running and rng.random() < 0.62:
            campaign, channel = (c := rng.choice(running))[0], c[1]
        else:
            channel = pick({"organic_search": 34, "referral": 17, "store_visit": 21, "paid_search": 12, "email": 6, "affiliate": 5})
        at = moment(day, 5, 23)
        written = rng.choices([code, code.lower(), country, country.upper(), code + " "], [74, 8, 10, 4, 4])[0]
        born = int(rng.triangular(1952, 2008, 1991)) if rng.random() > 0.11 else ""
        row = (cid, f"{first} {last}" if rng.random() > 0.08 else f" {first.upper()} {last.upper()}", "" if rng.random() < 0.02 else untidy(email, 0.1),
               written, rng.choices(cities, weights=range(len(cities) + 2, 2, -1))[0] if rng.random() > 0.02 else "",
               untidy(channel), campaign, ts(at), born, rng.choices(["none", "bronze", "silver", "gold"], [48, 27, 16, 9])[0],
               rng.choices([1, 0, ""], [61, 33, 6])[0], language if rng.random() > 0.1 else "en", ts(loaded(at)))
        customers.append(row)
        if rng.random() < 0.02:  # profile edited and delivered a second time
            customers.append(row[:9] + ("silver",) + row[10:12] + (ts(min(at + timedelta(days=20), datetime(2026, 6, 30))),))
        people.append({"id": cid, "country": country, "currency": currency, "day": max(day, START), "test": test, "pull": rng.paretovariate(1.05) if rng.random() > 0.12 else 0.0})
    rng.shuffle(customers)
    write(folder, "raw_customers", ["id", "full_name", "email", "country", "city", "signup_channel", "campaign_id", "signed_up_at", "birth_year",
                                    "loyalty_tier", "marketing_opt_in", "language", "loaded_at"], customers)

    # Orders, lines, returns
    orders, items, returns, history = [], [], [], []
    pulls = [min(p["pull"], 22.0) for p in people]
    oid, lid, rid = 50000, 200000, 7000
    for _ in range(1900):
        oid += rng.randint(1, 3)
        day = trading_day()
        person = rng.choices(people, [pull if p["day"] <= day else 0 for p, pull in zip(people, pulls)])[0]
        channel = rng.choices(["web", "mobile_app", "store", "phone"], [46, 22 + 14 * (day - START).days // DAYS, 27, 4])[0]
        store, currency, country, customer = "", person["currency"], person["country"], person["id"]
        if channel == "store":
            options = [(i, s) for i, s in enumerate(STORES, 1) if s[9] <= day.isoformat() and (not s[10] or s[10] >= day.isoformat())]
            home = [o for o in options if o[1][2] == country]
            index, chosen = rng.choices(home or options, [o[1][11] for o in (home or options)])[0]
            store, country, currency = index, chosen[2], COUNTRIES[chosen[2]][1]
            if rng.random() < 0.24:
                customer = ""
        at = moment(day, 8, 20) if channel == "store" else moment(day, 0, 23)
        test = int(person["test"] or rng.random() < 0.018) if customer else 0
        age = (END - day).days
        if rng.random() < 0.075 and channel != "store":
            status = rng.choice(["cancelled", "cancelled", "canceled"])
        elif channel == "store":
            status = "completed"
        elif age <= 2:
            status = "placed"
        elif age <= 8:
            status = rng.choice(["placed", "shipped", "shipped", "completed"])
        else:
            status = "completed" if rng.random() > 0.012 else "shipped"
        rate = fx_rate(day, currency)
        lines = []
        for number in range(1, rng.choices([1, 2, 3, 4, 5], [42, 30, 16, 8, 4])[0] + 1):
            while True:
                category = pick(CATEGORY_WEIGHT)
                choices = [p for p in by_category[category] if p[1] <= day and (not p[2] or day < p[2])]
                if choices:
                    break
            product = rng.choices(choices, [p[3] for p in choices])[0][0]
            quantity = rng.choices([1, 2, 3, 4, 6], [68, 20, 7, 3, 2])[0] if price_of[product] < 90 else 1
            if test and rng.random() < 0.35:
                quantity = rng.choice([25, 40, 99])
            lid += rng.randint(1, 2)
            unit = round(price_of[product] / rate * rng.choice([1, 1, 1, 0.95, 1.05]) * (0.94 if day.year == 2024 else 1.0), 2)
            lines.append([lid, oid, number, product, quantity, unit])
        gross = sum(x[4] * x[5] for x in lines)
        usable = [p for p in PROMOS if p[3] <= day.isoformat() and (not p[4] or day.isoformat() <= p[4])]
        promo, shares = "", 0.0
        if rng.random() < 0.27:
            code, kind, value, _, _ = rng.choices(usable, [4 if p[4] else 1 for p in usable])[0]
            shares = value / 100 if kind == "percentage" else min(value / gross, 0.5) if kind == "fixed_amount" else 0.0
            promo = untidy(code.lower() if rng.random() < 0.15 else code, 0.05)
        shipping = 0.0 if channel == "store" or gross > 120 or promo.strip().upper() == "SHIPFREE" else rng.choice([4.9, 6.9, 9.5])
        delivered = ""
        if channel != "store" and status == "completed":
            arrival = day + timedelta(days=rng.choices([1, 2, 3, 4, 5, 7, 10], [6, 26, 28, 18, 11, 8, 3])[0])
            delivered = arrival if arrival <= END else ""
        payment = rng.choices(["card", "cash", "gift_card"], [70, 22, 8])[0] if channel == "store" else rng.choices(["card", "paypal", "invoice", "gift_card"], [52, 31, 12, 5])[0]
        row = (oid, customer, store, untidy(channel), untidy(status), ts(at), currency, payment, "" if channel == "store" else COUNTRIES[country][0],
               promo, f"{shipping:.2f}", delivered, int(rng.random() < 0.07), test, ts(loaded(at)))
        if rng.random() < 0.012:  # an earlier state of the same order, delivered before
            orders.append(row[:4] + ("placed",) + row[5:11] + ("",) + row[12:14] + (ts(at + timedelta(minutes=5)),))
        orders.append(row)
        for line in lines:
            discount = round(line[4] * line[5] * shares, 2)
            items.append((*line[:5], f"{line[5]:.2f}", f"{discount:.2f}" if discount else "", ts(loaded(at))))
            kept = status == "completed" and age > 4
            if kept and rng.random() < (0.15 if line[3] > 122 and line[3] < 147 else 0.06):
                rid += 1
                asked = min(at + timedelta(days=rng.randint(3, 30), hours=rng.randint(0, 9)), datetime(2026, 6, 30, 21, 0))
                state = rng.choices(["refunded", "rejected", "received", "approved"], [84, 9, 4, 3])[0]
                if (END - asked.date()).days < 6:
                    state = rng.choice(["requested", "approved"])
                elif (END - asked.date()).days > 60 and state in ("received", "approved"):
                    state = "refunded"
                count = rng.randint(1, line[4]) if line[4] < 10 else line[4]
                got = asked.date() + timedelta(days=rng.randint(2, 9)) if state in ("refunded", "received") else ""
                got = min(got, END) if got else ""
                paid = min(got + timedelta(days=rng.randint(1, 12)), END) if state == "refunded" else ""
                amount = f"{count * line[5] * (1 - shares):.2f}" if state == "refunded" else ""
                reason = rng.choices(["changed_mind", "wrong_size", "damaged", "defective", "not_as_described", "late_delivery"], [26, 24, 17, 14, 11, 8])[0]
                entry = (rid, line[0], "store" if channel == "store" or rng.random() < 0.12 else "mail", untidy(reason) if rng.random() > 0.04 else "", untidy(state),
                         iso(asked), got, paid, count, amount, currency, int(state == "refunded" and rng.random() < 0.6), ts(loaded(asked)))
                if rng.random() < 0.03:
                    returns.append(entry)  # the same row twice
                returns.append(entry)
        history.append((oid, customer, at, status))
    for ghost in range(4):  # lines whose order never arrived
        items.append((299990 + ghost, 99000 + ghost, 1, 103, 1, "17.90", "", "2026-06-30 08:00:00"))
    write(folder, "raw_orders", ["id", "customer_id", "store_id", "channel", "status", "ordered_at", "currency", "payment_method", "ship_country",
                                 "promo_code", "shipping_fee", "delivered_on", "is_gift", "is_test", "loaded_at"], orders)
    write(folder, "raw_order_items", ["id", "order_id", "line_number", "product_id", "quantity", "unit_price", "discount", "loaded_at"], items)
    write(folder, "raw_returns", ["id", "order_item_id", "method", "reason", "status", "requested_at", "received_on", "refunded_on", "quantity",
                                  "refund_amount", "currency", "is_restocked", "loaded_at"], returns)

    # Subscriptions as an event log
    subscriptions, events = [], []
    eid = 0
    subscribers = rng.sample(people, 205) + rng.choices(people, k=38) + [p for p in people if p["test"]][:7]
    for sub, person in enumerate(subscribers, 3001):
        name, category, interval, price, _ = rng.choices(PLANS, [p[4] for p in PLANS])[0]
        day = trading_day(person["day"])
        at = moment(day)
        product = rng.choice(by_category[category])[0]
        subscriptions.append((sub, person["id"], product, untidy(name, 0.06), interval, untidy(rng.choices(["web", "mobile_app", "store", "phone"], [52, 27, 16, 5])[0]),
                              ts(at), person["currency"], f"{price * rng.choice([1, 1, 0.9, 1.1]):.2f}", ts(loaded(at))))
        log = []
        clock = day
        if rng.random() < 0.4:
            log.append(("trial_started", clock))
            clock += timedelta(days=14)
            log.append(("cancelled", clock) if rng.random() < 0.14 else ("activated", clock))
        else:
            log.append(("activated", clock))
        while log[-1][0] in ("activated", "resumed", "paused"):
            kind = log[-1][0]
            if kind == "paused":
                clock += timedelta(days=rng.randint(12, 110))
                log.append(("resumed", clock) if rng.random() < 0.62 else ("cancelled", clock))
            else:
                clock += timedelta(days=rng.randint(40, 560))
                log.append(rng.choices([("paused", clock), ("cancelled", clock), ("expired", clock)], [55, 37, 8])[0])
            if clock > END:
                break
        for kind, when in log:
            if when > END:
                break
            eid += 1
            reason = rng.choices(["too_expensive", "too_much_product", "moved_away", "quality", "payment_failed", ""], [28, 24, 12, 11, 14, 11])[0] if kind == "cancelled" else ""
            stamp = moment(when) if when > day else at
            events.append((eid, sub, untidy(kind, 0.05), iso(stamp), reason, ts(loaded(stamp))))
            if rng.random() < 0.015:
                events.append(events[-1])
    write(folder, "raw_subscriptions", ["id", "customer_id", "product_id", "plan_name", "billing_interval", "signup_channel", "started_at", "currency",
                                        "monthly_price", "loaded_at"], subscriptions)
    write(folder, "raw_subscription_events", ["id", "subscription_id", "event_type", "occurred_at", "reason", "loaded_at"], events)

    # Support
    tickets = []
    real = [h for h in history if h[1]]
    for tid in range(9001, 9001 + 660):
        order, customer, at = "", "", None
        kind = rng.random()
        if kind < 0.63:
            o = rng.choice(real)
            order, customer = o[0], o[1]
            at = o[2] + timedelta(days=rng.randint(0, 25), hours=rng.randint(1, 12))
        elif kind < 0.93:
            p = rng.choice(people)
            customer, at = p["id"], moment(trading_day(p["day"]))
        else:
            at = moment(trading_day())
        at = min(at, datetime(2026, 6, 30, 18, 0) - timedelta(minutes=rng.randint(0, 700)))
        topic = rng.choices(["delivery", "return_refund", "product_advice", "subscription", "payment", "account", ""], [29, 23, 17, 13, 9, 7, 2])[0]
        priority = rng.choices(["low", "normal", "high", "urgent"], [22, 51, 19, 8])[0]
        channel = rng.choices(["email", "chat", "phone", "social"], [45, 31, 16, 8])[0]
        pace = {"email": 13, "chat": 1.1, "phone": 0.4, "social": 7}[channel] * {"low": 1.7, "normal": 1.15, "high": 0.5, "urgent": 0.3}[priority]
        answered = at + timedelta(minutes=int(60 * rng.lognormvariate(0, 0.95) * pace) + 1)
        solved = answered + timedelta(minutes=int(60 * rng.lognormvariate(2.4, 1.1)))
        now = datetime(2026, 6, 30, 23, 0)
        status = rng.choices(["solved", "closed", "spam"], [30, 64, 6])[0]
        agent, team = rng.choices(AGENTS, [20, 17, 15, 12, 9, 7, 6])[0]
        score = rng.choices([1, 2, 3, 4, 5], [7, 9, 18, 35, 31])[0] if rng.random() < 0.55 else ""
        if status == "spam":
            answered = solved = None
            agent = team = score = ""
        elif answered > now:
            status, answered, solved, agent, team, score = "open", None, None, "", "", ""
        elif solved > now or rng.random() < 0.02:
            status, solved, score = rng.choice(["open", "pending"]), None, ""
        row = (tid, customer, order, untidy(channel), untidy(topic), untidy(priority), untidy(status), iso(at), iso(answered), iso(solved), score,
               1 if status == "spam" else rng.randint(2, 11), rng.choices([0, 1, 2], [85, 12, 3])[0] if solved else 0, agent, team, ts(loaded(at)))
        tickets.append(row)
        if rng.random() < 0.01:
            tickets.append(row)
    write(folder, "raw_support_tickets", ["id", "customer_id", "order_id", "channel", "topic", "priority", "status", "opened_at", "first_responded_at",
                                          "resolved_at", "satisfaction_score", "message_count", "reopen_count", "agent_name", "agent_team", "loaded_at"], tickets)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "seeds")
