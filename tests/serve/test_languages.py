"""Other languages are told from English, also from English that names foreign things."""

from __future__ import annotations

import pytest

from dbt_t2s.serve.languages import foreign_language


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Wie viele Bestellungen gab es im letzten Monat pro Land?", "German"),
        ("wie viel Umsatz haben wir gemacht?", "German"),
        ("Combien de commandes avons-nous reçues le mois dernier ?", "French"),
        ("¿Cuántos pedidos hay por país?", "Spanish"),
        ("quanti ordini abbiamo avuto nel mese di maggio", "Italian"),
        ("Quantas encomendas foram feitas no mês passado?", "Portuguese"),
        ("hoeveel bestellingen hebben we deze maand", "Dutch"),
        ("昨年の注文数はいくつですか", "a script other than Latin"),
        ("сколько заказов было в мае", "a script other than Latin"),
    ],
)
def test_another_language_is_seen(question: str, language: str) -> None:
    assert foreign_language(question) == language


@pytest.mark.parametrize(
    "question",
    [
        "how many orders were there last month per country?",
        "orders in São Paulo and Köln",
        "revenue of El Corte Inglés and La Redoute in 2025",
        "sales Rue de la Paix, per month",
        "customers of Die Zeit who pay per month",
        "orders from Москва last week",
        "top 5 los angeles stores by revenue",
        "net revenue by month",
        "gift wrapped",
        "no-show rate en route",
        "42",
    ],
)
def test_english_is_left_alone(question: str) -> None:
    assert foreign_language(question) == ""
