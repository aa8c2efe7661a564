"""Date phrases and the half-open ranges they mean, seen from 30 June 2026."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dbt_t2s.query.dates import date_spans

TODAY = date(2026, 6, 30)  # a Tuesday

# phrase | start | end (excluded)
_PHRASES = """
on 2025-03-14|2025-03-14|2025-03-15
on 14.03.2025|2025-03-14|2025-03-15
on 3/14/2025|2025-03-14|2025-03-15
on March 14, 2025|2025-03-14|2025-03-15
on the 14th of march 2025|2025-03-14|2025-03-15
on 29 February 2024|2024-02-29|2024-03-01
on February 29|2024-02-29|2024-03-01
on 2024-12-31|2024-12-31|2025-01-01
on 1 July|2025-07-01|2025-07-02
on June 30|2026-06-30|2026-07-01
in 2025-03|2025-03-01|2025-04-01
in March 2025|2025-03-01|2025-04-01
in Mar. 2025|2025-03-01|2025-04-01
in feb 2024|2024-02-01|2024-03-01
in December '25|2025-12-01|2026-01-01
in march|2026-03-01|2026-04-01
in may|2026-05-01|2026-06-01
in July|2025-07-01|2025-08-01
last december|2025-12-01|2026-01-01
last march|2025-03-01|2025-04-01
sept 2025|2025-09-01|2025-10-01
in 45 May 2025|2025-05-01|2025-06-01
in Q1|2026-01-01|2026-04-01
in q3|2025-07-01|2025-10-01
in Q3 2025|2025-07-01|2025-10-01
2025Q4|2025-10-01|2026-01-01
2025-Q2|2025-04-01|2025-07-01
Q4 last year|2025-10-01|2026-01-01
the first quarter of 2025|2025-01-01|2025-04-01
the last quarter of last year|2025-10-01|2026-01-01
H1 2025|2025-01-01|2025-07-01
the second half of 2025|2025-07-01|2026-01-01
the first half of this year|2026-01-01|2026-07-01
in 2025|2025-01-01|2026-01-01
calendar year 2024|2024-01-01|2025-01-01
FY2025|2025-01-01|2026-01-01
the first quarter|2026-01-01|2026-04-01
today|2026-06-30|2026-07-01
tomorrow|2026-07-01|2026-07-02
yesterdays|2026-06-29|2026-06-30
last saturday|2026-06-27|2026-06-28
on Tuesday|2026-06-23|2026-06-24
next friday|2026-07-03|2026-07-04
in 03/2024|2024-03-01|2024-04-01
in 3/2024|2024-03-01|2024-04-01
in week 12 of 2024|2024-03-18|2024-03-25
in calendar week 1 2025|2024-12-30|2025-01-06
2024-W12|2024-03-18|2024-03-25
in week 40|2025-09-29|2025-10-06
in q3 24|2024-07-01|2024-10-01
in h1 24|2024-01-01|2024-07-01
two years ago|2024-01-01|2025-01-01
a month ago|2026-05-01|2026-06-01
3 days ago|2026-06-27|2026-06-28
in the 90s|1990-01-01|2000-01-01
in the 1980s|1980-01-01|1990-01-01
in the 2010s|2010-01-01|2020-01-01
2019 or later|2019-01-01|
in 2019 or earlier||2020-01-01
2019 onwards|2019-01-01|
2019+|2019-01-01|
2019 + gifts|2019-01-01|2020-01-01
first day in February 2024|2024-02-01|2024-03-01
after the year of 2010|2011-01-01|
before year 2010||2010-01-01
the day before yesterday|2026-06-28|2026-06-29
since the start of 2024|2024-01-01|
until the end of 2023||2024-01-01
1990-1995|1990-01-01|1996-01-01
christmas eve 2025|2025-12-24|2025-12-25
since the start of 2025|2025-01-01|
until the end of May||2026-06-01
yesterday|2026-06-29|2026-06-30
this week|2026-06-29|2026-07-06
last week|2026-06-22|2026-06-29
this month|2026-06-01|2026-07-01
last month|2026-05-01|2026-06-01
month before last|2026-04-01|2026-05-01
next month|2026-07-01|2026-08-01
last quarter|2026-01-01|2026-04-01
this quarter|2026-04-01|2026-07-01
last year|2025-01-01|2026-01-01
previous calendar year|2025-01-01|2026-01-01
last 30 days|2026-05-31|2026-07-01
past 90 days|2026-04-01|2026-07-01
last six months|2025-12-30|2026-07-01
trailing 2 quarters|2025-12-30|2026-07-01
last 12 months|2025-06-30|2026-07-01
ytd|2026-01-01|2026-07-01
month to date|2026-06-01|2026-07-01
quarter-to-date|2026-04-01|2026-07-01
at easter|2026-04-05|2026-04-06
Black Friday 2025|2025-11-28|2025-11-29
on black friday|2025-11-28|2025-11-29
at christmas|2025-12-25|2025-12-26
since 2025|2025-01-01|
since March 2025|2025-03-01|
since last month|2026-05-01|
since easter|2026-04-05|
before 2025||2025-01-01
before March 2025||2025-03-01
until 2025-03-14||2025-03-15
by the end of June 2025||2025-07-01
after 2024|2025-01-01|
after 14 March 2025|2025-03-15|
from 2024 to 2025|2024-01-01|2026-01-01
2024-2025|2024-01-01|2026-01-01
between January and March 2025|2025-01-01|2025-04-01
from November to February|2025-11-01|2026-03-01
from November to February 2025|2024-11-01|2025-03-01
from December 30 to January 2|2025-12-30|2026-01-03
from last year to today|2025-01-01|2026-07-01
from 2025 to 2024|2024-01-01|2026-01-01
from March 2025 through May 2025|2025-03-01|2025-06-01
between 2025-03-01 and 2025-03-31|2025-03-01|2025-04-01
Q1 to Q3 2025|2025-01-01|2025-10-01
"""
PHRASES = [tuple(line.split("|")) for line in _PHRASES.strip().splitlines()]


@pytest.mark.parametrize(("phrase", "start", "end"), PHRASES, ids=[p[0] for p in PHRASES])
@pytest.mark.parametrize("around", ["{}", "orders {}", "revenue {} by country?"])
def test_a_phrase_means_a_range(phrase: str, start: str, end: str, around: str) -> None:
    spans = date_spans(around.format(phrase), TODAY)
    assert [(s.range.start, s.range.end) for s in spans] == [(start, end)]


@pytest.mark.parametrize(
    "text",
    [
        "stock at the end of 2023",
        "orders in early 2024",
        "orders in mid-2023",
        "late March",
        "sales in summer of 2024",
        "sales in summer 2024",
        "the last week of March 2025",
        "the first 3 days of 2025",
        "who signed up more than a year ago",
        "customers in their 90s",
        "tickets older than 90 s",
        "revenue for week 60 of 2024",
    ],
)
def test_what_may_mean_two_things_is_left_unread(text: str) -> None:
    assert not date_spans(text, TODAY)


@given(
    st.dates(date(1950, 1, 1), date(2090, 1, 1)),
    st.sampled_from(["{:%G}-W{:%V}", "week {:%V} of {:%G}"]),
)
def test_any_iso_week_is_read_back(day: date, form: str) -> None:
    spans = date_spans(form.format(day, day), TODAY)
    assert len(spans) == 1
    first = day - timedelta(days=day.weekday())
    assert spans[0].range.start == first.isoformat()
    assert spans[0].range.end == (first + timedelta(days=7)).isoformat()


@pytest.mark.parametrize(
    "text",
    [
        "customers who may leave",
        "march through the numbers",
        "which orders may we ship",
        "orders on 2026-02-30",
        "orders on 2025-02-29",
        "orders on 2026-13-01",
        "orders on 31.04.2026",
        "orders on 2/30/2026",
        "orders on February 30, 2026",
        "orders on 31 april",
        "the second order of each customer",
        "last 0 days",
        "the last 999999 days",
        "more than 5000 orders",
    ],
)
def test_what_is_no_date_is_not_read_as_one(text: str) -> None:
    assert date_spans(text, TODAY) == ()


@pytest.mark.parametrize(
    "text", ["revenue in may", "revenue since March", "May 2025", "Did May win"]
)
def test_may_and_march_are_months_where_they_must_be(text: str) -> None:
    assert len(date_spans(text, TODAY)) == 1


def test_before_one_year_or_after_another() -> None:
    spans = date_spans("made before the year of 2000 or after the year of 2010", TODAY)
    assert [(s.range.start, s.range.end) for s in spans] == [("", "2000-01-01"), ("2011-01-01", "")]


def test_several_phrases_keep_their_order() -> None:
    text = "compare Q1 2025 with Q1 2024 and last month"
    assert [s.text for s in date_spans(text, TODAY)] == ["Q1 2025", "Q1 2024", "last month"]


def test_weeks_and_years_turn() -> None:
    assert date_spans("this week", date(2027, 1, 1))[0].range.start == "2026-12-28"
    assert date_spans("last month", date(2026, 1, 15))[0].range.start == "2025-12-01"
    assert date_spans("yesterday", date(2024, 3, 1))[0].range.start == "2024-02-29"
    assert date_spans("last 1 year", date(2024, 2, 29))[0].range.start == "2023-02-28"


_PIECES = [
    *(p[0] for p in PHRASES),
    *("since", "before", "after", "between", "and", "to", "from", "until", "may", "march"),
    *("2025", "31", "of", "the", "last", "-", "/", ".", ",", "'", "q"),
]
_PHRASES_IN_A_ROW = st.lists(st.sampled_from(_PIECES), max_size=8).map(" ".join)
_TEXTS = st.one_of(st.text(max_size=80), _PHRASES_IN_A_ROW)


@given(_TEXTS, st.integers(0, 4000))
@example("last 99999999999999999999 years", 0)
@example("from december to february", 181)
def test_any_text_is_read_without_overlap(text: str, days: int) -> None:
    spans = date_spans(text, date(2020, 1, 1) + timedelta(days=days))
    for span in spans:
        assert text[span.start : span.end] == span.text
        start, end = span.range.start, span.range.end
        assert start or end
        assert not (start and end) or date.fromisoformat(start) < date.fromisoformat(end)
    for one, other in pairwise(spans):
        assert one.end <= other.start


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("invoices from June 2025", [("2025-06-01", "2025-07-01")]),
        ("invoices from June 2025 on", []),
        ("due in December", [("2026-12-01", "2027-01-01")]),
        ("gone before November", [("", "2026-11-01")]),
        ("since March 2025", []),
        ("in 2025", []),
    ],
)
def test_what_a_phrase_may_mean_besides(text: str, others: list[tuple[str, str]]) -> None:
    (span,) = date_spans(text, TODAY)
    assert [(other.start, other.end) for other in span.others] == others


def test_may_is_no_month_when_somebody_may() -> None:
    assert not date_spans("drivers who may work at night", TODAY)
