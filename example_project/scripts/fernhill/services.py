"""Subscriptions as an event log, and support tickets."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from fernhill.chance import Chance, Row, iso, ts, write
from fernhill.customers import Person
from fernhill.orders import Order
from fernhill.supply import Product
from fernhill.world import AGENTS, END, PLANS

_NOW = datetime(2026, 6, 30, 23, 0)
_RUNNING = ("activated", "resumed", "paused")
# Hours to a first answer, and how much sooner or later by priority.
_PACE = {"email": 13, "chat": 1.1, "phone": 0.4, "social": 7}
_HASTE = {"low": 1.7, "normal": 1.15, "high": 0.5, "urgent": 0.3}


def subscriptions(
    folder: Path, chance: Chance, people: list[Person], products: dict[str, list[Product]]
) -> None:
    rng = chance.rng
    rows: list[Row] = []
    events: list[Row] = []
    number = 0
    subscribers = rng.sample(people, 205) + rng.choices(people, k=38)
    subscribers += [p for p in people if p.test][:7]
    for at, person in enumerate(subscribers, 3001):
        plan = rng.choices(PLANS, [p.weight for p in PLANS])[0]
        day = chance.trading_day(person.day)
        begun = chance.moment(day)
        product = rng.choice(products[plan.category]).id
        name = chance.untidy(plan.name, 0.06)
        channel = chance.pick({"web": 52, "mobile_app": 27, "store": 16, "phone": 5})
        channel = chance.untidy(channel)
        head = (at, person.id, product, name, plan.interval, channel, ts(begun), person.currency)
        price = f"{plan.price * rng.choice([1, 1, 0.9, 1.1]):.2f}"
        rows.append((*head, price, chance.loaded(begun)))
        for kind, when in _life(chance, day):
            if when > END:
                break
            number += 1
            reason = _reason(chance) if kind == "cancelled" else ""
            stamp = chance.moment(when) if when > day else begun
            kind = chance.untidy(kind, 0.05)
            events.append((number, at, kind, iso(stamp), reason, chance.loaded(stamp)))
            if chance.share(0.015):
                events.append(events[-1])
    header = "id customer_id product_id plan_name billing_interval signup_channel started_at "
    write(folder, "raw_subscriptions", header + "currency monthly_price loaded_at", rows)
    header = "id subscription_id event_type occurred_at reason loaded_at"
    write(folder, "raw_subscription_events", header, events)


def _life(chance: Chance, day: date) -> list[tuple[str, date]]:
    """What happens to a subscription, up to a day after the last one written."""
    rng = chance.rng
    log: list[tuple[str, date]] = []
    if chance.share(0.4):
        log.append(("trial_started", day))
        day += timedelta(days=14)
        log.append(("cancelled" if chance.share(0.14) else "activated", day))
    else:
        log.append(("activated", day))
    while log[-1][0] in _RUNNING:
        if log[-1][0] == "paused":
            day += timedelta(days=rng.randint(12, 110))
            log.append(("resumed" if chance.share(0.62) else "cancelled", day))
        else:
            day += timedelta(days=rng.randint(40, 560))
            log.append((chance.pick({"paused": 55, "cancelled": 37, "expired": 8}), day))
        if day > END:
            break
    return log


def _reason(chance: Chance) -> str:
    weights = {"too_expensive": 28, "too_much_product": 24, "moved_away": 12, "quality": 11}
    return chance.pick({**weights, "payment_failed": 14, "": 11})


def tickets(folder: Path, chance: Chance, people: list[Person], history: list[Order]) -> None:
    rows: list[Row] = []
    known = [order for order in history if order.customer]
    for number in range(9001, 9001 + 660):
        row = _ticket(chance, number, people, known)
        rows.append(row)
        if chance.share(0.01):
            rows.append(row)
    header = "id customer_id order_id channel topic priority status opened_at first_responded_at "
    header += "resolved_at satisfaction_score message_count reopen_count agent_name agent_team "
    write(folder, "raw_support_tickets", header + "loaded_at", rows)


def _asker(
    chance: Chance, people: list[Person], known: list[Order]
) -> tuple[int | str, int | str, datetime]:
    """Who opens a ticket, about which order, and when."""
    rng = chance.rng
    drawn = rng.random()
    if drawn < 0.63:
        order = rng.choice(known)
        at = order.at + timedelta(days=rng.randint(0, 25), hours=rng.randint(1, 12))
        return order.customer, order.id, at
    if drawn < 0.93:
        person = rng.choice(people)
        return person.id, "", chance.moment(chance.trading_day(person.day))
    return "", "", chance.moment(chance.trading_day())


def _ticket(chance: Chance, number: int, people: list[Person], known: list[Order]) -> Row:
    rng = chance.rng
    customer, order, at = _asker(chance, people, known)
    at = min(at, datetime(2026, 6, 30, 18, 0) - timedelta(minutes=rng.randint(0, 700)))
    topics = {"delivery": 29, "return_refund": 23, "product_advice": 17, "subscription": 13}
    topic = chance.pick({**topics, "payment": 9, "account": 7, "": 2})
    priority = chance.pick({"low": 22, "normal": 51, "high": 19, "urgent": 8})
    channel = chance.pick({"email": 45, "chat": 31, "phone": 16, "social": 8})
    pace = _PACE[channel] * _HASTE[priority]
    first = at + timedelta(minutes=int(60 * rng.lognormvariate(0, 0.95) * pace) + 1)
    last = first + timedelta(minutes=int(60 * rng.lognormvariate(2.4, 1.1)))
    answered: datetime | None = first
    solved: datetime | None = last
    status = chance.pick({"solved": 30, "closed": 64, "spam": 6})
    agent, team = rng.choices(AGENTS, [20, 17, 15, 12, 9, 7, 6])[0]
    score: int | str = chance.pick({1: 7, 2: 9, 3: 18, 4: 35, 5: 31}) if chance.share(0.55) else ""
    if status == "spam":
        answered, solved, agent, team, score = None, None, "", "", ""
    elif first > _NOW:
        status, answered, solved, agent, team, score = "open", None, None, "", "", ""
    elif last > _NOW or chance.share(0.02):
        status, solved, score = rng.choice(["open", "pending"]), None, ""
    return (
        number,
        customer,
        order,
        chance.untidy(channel),
        chance.untidy(topic),
        chance.untidy(priority),
        chance.untidy(status),
        iso(at),
        iso(answered),
        iso(solved),
        score,
        1 if status == "spam" else rng.randint(2, 11),
        chance.pick({0: 85, 1: 12, 2: 3}) if solved else 0,
        agent,
        team,
        chance.loaded(at),
    )
