"""Orders with their lines and returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from fernhill.chance import Chance, Rates, Row, iso, ts, write
from fernhill.customers import Person
from fernhill.supply import Product
from fernhill.world import CATEGORIES, COUNTRIES, DAYS, END, PROMOS, START, STORES

_LAST_RETURN = datetime(2026, 6, 30, 21, 0)


@dataclass(frozen=True)
class Line:
    id: int
    order_id: int
    number: int
    product_id: int
    quantity: int
    unit_price: float

    @property
    def gross(self) -> float:
        return self.quantity * self.unit_price


@dataclass(frozen=True)
class Order:
    id: int
    customer: int | str
    store: int | str
    channel: str
    country: str
    currency: str
    day: date
    at: datetime
    test: int
    status: str

    @property
    def age(self) -> int:
        return (END - self.day).days


class Shop:
    """Sells for two and a half years."""

    def __init__(
        self, chance: Chance, rates: Rates, people: list[Person], products: dict[str, list[Product]]
    ) -> None:
        self.chance = chance
        self.rates = rates
        self.people = people
        self.pulls = [min(person.pull, 22.0) for person in people]
        self.products = products
        self.line_id, self.return_id = 200000, 7000
        self.orders: list[Row] = []
        self.items: list[Row] = []
        self.returns: list[Row] = []
        self.history: list[Order] = []

    def sell(self, count: int) -> None:
        number = 50000
        for _ in range(count):
            number += self.chance.rng.randint(1, 3)
            order = self._order(number)
            lines = self._lines(order)
            share = self._write_order(order, sum(line.gross for line in lines))
            for line in lines:
                self._write_line(order, line, share)
            self.history.append(order)
        for ghost in range(4):  # lines whose order never arrived
            head = (299990 + ghost, 99000 + ghost, 1, 103, 1)
            self.items.append((*head, "17.90", "", "2026-06-30 08:00:00"))

    def _order(self, number: int) -> Order:
        chance, rng = self.chance, self.chance.rng
        day = chance.trading_day()
        pulls = zip(self.people, self.pulls, strict=True)
        person = rng.choices(self.people, [pull if p.day <= day else 0 for p, pull in pulls])[0]
        app = 22 + 14 * (day - START).days // DAYS
        channel = chance.pick({"web": 46, "mobile_app": app, "store": 27, "phone": 4})
        store: int | str = ""
        customer: int | str = person.id
        country, currency = person.country, person.currency
        if channel == "store":
            store = chosen = self._store(day, country)
            country = STORES[chosen - 1].country
            currency = COUNTRIES[country].currency
            if chance.share(0.24):
                customer = ""
        at = chance.moment(day, 8, 20) if channel == "store" else chance.moment(day, 0, 23)
        test = int(person.test or chance.share(0.018)) if customer else 0
        status = self._status(channel, (END - day).days)
        return Order(number, customer, store, channel, country, currency, day, at, test, status)

    def _store(self, day: date, country: str) -> int:
        """The number of an open store, at home where there is one."""
        options = [(i, store) for i, store in enumerate(STORES, 1) if store.is_open(day)]
        near = [o for o in options if o[1].country == country] or options
        return self.chance.rng.choices(near, [store.weight for _, store in near])[0][0]

    def _status(self, channel: str, age: int) -> str:
        rng = self.chance.rng
        if rng.random() < 0.075 and channel != "store":
            return rng.choice(["cancelled", "cancelled", "canceled"])
        if channel == "store":
            return "completed"
        if age <= 2:
            return "placed"
        if age <= 8:
            return rng.choice(["placed", "shipped", "shipped", "completed"])
        return "completed" if rng.random() > 0.012 else "shipped"

    def _lines(self, order: Order) -> list[Line]:
        chance, rng = self.chance, self.chance.rng
        rate = self.rates.at(order.day, order.currency)
        lines: list[Line] = []
        for number in range(1, chance.pick({1: 42, 2: 30, 3: 16, 4: 8, 5: 4}) + 1):
            product = self._product(order.day)
            quantity = 1
            if product.price < 90:
                quantity = chance.pick({1: 68, 2: 20, 3: 7, 4: 3, 6: 2})
            if order.test and chance.share(0.35):
                quantity = rng.choice([25, 40, 99])
            self.line_id += rng.randint(1, 2)
            moved = product.price / rate * rng.choice([1, 1, 1, 0.95, 1.05])
            unit = round(moved * (0.94 if order.day.year == 2024 else 1.0), 2)
            lines.append(Line(self.line_id, order.id, number, product.id, quantity, unit))
        return lines

    def _product(self, day: date) -> Product:
        while True:
            category = self.chance.pick({name: c.weight for name, c in CATEGORIES.items()})
            sold = [p for p in self.products[category] if p.is_sold(day)]
            if sold:
                return self.chance.rng.choices(sold, [p.pull for p in sold])[0]

    def _write_order(self, order: Order, gross: float) -> float:
        """Writes the order and returns the share of its price that a promotion takes off."""
        chance, rng = self.chance, self.chance.rng
        usable = [promo for promo in PROMOS if promo.is_valid(order.day)]
        code, share = "", 0.0
        if chance.share(0.27):
            promo = rng.choices(usable, [4 if p.valid_to else 1 for p in usable])[0]
            if promo.kind == "percentage":
                share = promo.value / 100
            elif promo.kind == "fixed_amount":
                share = min(promo.value / gross, 0.5)
            code = chance.untidy(promo.code.lower() if chance.share(0.15) else promo.code, 0.05)
        in_store = order.channel == "store"
        free = in_store or gross > 120 or code.strip().upper() == "SHIPFREE"
        shipping = 0.0 if free else rng.choice([4.9, 6.9, 9.5])
        delivered = self._delivered(order)
        if in_store:
            payment = chance.pick({"card": 70, "cash": 22, "gift_card": 8})
        else:
            payment = chance.pick({"card": 52, "paypal": 31, "invoice": 12, "gift_card": 5})
        row = (
            order.id,
            order.customer,
            order.store,
            chance.untidy(order.channel),
            chance.untidy(order.status),
            ts(order.at),
            order.currency,
            payment,
            "" if in_store else COUNTRIES[order.country].code,
            code,
            f"{shipping:.2f}",
            delivered,
            int(chance.share(0.07)),
            order.test,
            chance.loaded(order.at),
        )
        if chance.share(0.012):  # an earlier state of the same order, delivered before
            earlier = ts(order.at + timedelta(minutes=5))
            self.orders.append((*row[:4], "placed", *row[5:11], "", *row[12:14], earlier))
        self.orders.append(row)
        return share

    def _delivered(self, order: Order) -> date | str:
        if order.channel == "store" or order.status != "completed":
            return ""
        days = self.chance.pick({1: 6, 2: 26, 3: 28, 4: 18, 5: 11, 7: 8, 10: 3})
        arrival = order.day + timedelta(days=days)
        return arrival if arrival <= END else ""

    def _write_line(self, order: Order, line: Line, share: float) -> None:
        chance = self.chance
        discount = round(line.gross * share, 2)
        taken_off = f"{discount:.2f}" if discount else ""
        head = (line.id, line.order_id, line.number, line.product_id, line.quantity)
        loaded = chance.loaded(order.at)
        self.items.append((*head, f"{line.unit_price:.2f}", taken_off, loaded))
        kept = order.status == "completed" and order.age > 4
        # Boots and jackets come back more often.
        if kept and chance.share(0.15 if 122 < line.product_id < 147 else 0.06):
            self.return_id += 1
            entry = self._return(order, line, share)
            if chance.share(0.03):
                self.returns.append(entry)  # the same row twice
            self.returns.append(entry)

    def _return(self, order: Order, line: Line, share: float) -> Row:
        chance, rng = self.chance, self.chance.rng
        later = timedelta(days=rng.randint(3, 30), hours=rng.randint(0, 9))
        asked = min(order.at + later, _LAST_RETURN)
        state = self._return_state((END - asked.date()).days)
        count = rng.randint(1, line.quantity) if line.quantity < 10 else line.quantity
        got, paid = self._return_days(asked.date(), state)
        amount = f"{count * line.unit_price * (1 - share):.2f}" if state == "refunded" else ""
        reasons = {"changed_mind": 26, "wrong_size": 24, "damaged": 17, "defective": 14}
        reason = chance.pick({**reasons, "not_as_described": 11, "late_delivery": 8})
        in_store = order.channel == "store" or chance.share(0.12)
        return (
            self.return_id,
            line.id,
            "store" if in_store else "mail",
            chance.untidy(reason) if rng.random() > 0.04 else "",
            chance.untidy(state),
            iso(asked),
            got or "",
            paid or "",
            count,
            amount,
            order.currency,
            int(state == "refunded" and chance.share(0.6)),
            chance.loaded(asked),
        )

    def _return_state(self, age: int) -> str:
        state = self.chance.pick({"refunded": 84, "rejected": 9, "received": 4, "approved": 3})
        if age < 6:
            return self.chance.rng.choice(["requested", "approved"])
        return "refunded" if age > 60 and state in ("received", "approved") else state

    def _return_days(self, asked: date, state: str) -> tuple[date | None, date | None]:
        """When the goods came back and when the money went out."""
        rng = self.chance.rng
        if state not in ("refunded", "received"):
            return None, None
        got = min(asked + timedelta(days=rng.randint(2, 9)), END)
        if state != "refunded":
            return got, None
        return got, min(got + timedelta(days=rng.randint(1, 12)), END)

    def write(self, folder: Path) -> None:
        header = "id customer_id store_id channel status ordered_at currency payment_method "
        header += "ship_country promo_code shipping_fee delivered_on is_gift is_test loaded_at"
        write(folder, "raw_orders", header, self.orders)
        header = "id order_id line_number product_id quantity unit_price discount loaded_at"
        write(folder, "raw_order_items", header, self.items)
        header = "id order_item_id method reason status requested_at received_on refunded_on "
        header += "quantity refund_amount currency is_restocked loaded_at"
        write(folder, "raw_returns", header, self.returns)
