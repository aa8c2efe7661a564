"""Write the seed files of the Fernhill example project.

Standard library only; the same seed gives the same bytes. Run from anywhere:
    python scripts/generate_seeds.py [output folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

from fernhill.chance import Chance, Rates, write
from fernhill.customers import customers
from fernhill.orders import Shop
from fernhill.services import subscriptions, tickets
from fernhill.supply import campaigns, products, stores
from fernhill.world import PROMOS, SEED


def main(folder: Path) -> None:
    """All seeds; each draws on the same chance, so their order is part of the result."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = Chance(SEED)
    rates = Rates(chance)
    write(folder, "raw_fx_rates", "rate_month currency eur_per_unit", rates.rows())
    promos = [(p.code, p.kind, p.value, p.valid_from, p.valid_to) for p in PROMOS]
    header = "code promo_type discount_value valid_from valid_to"
    write(folder, "raw_promo_codes", header, promos)
    stores(folder, chance)
    sold = products(folder, chance)
    people = customers(folder, chance, campaigns(folder, chance))
    shop = Shop(chance, rates, people, sold)
    shop.sell(1900)
    shop.write(folder)
    subscriptions(folder, chance, people, sold)
    tickets(folder, chance, people, shop.history)


if __name__ == "__main__":
    seeds = Path(__file__).resolve().parent.parent / "seeds"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else seeds)
