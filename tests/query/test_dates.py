"""Date phrases and the half-open ranges they mean, seen from 30 June 2026."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.fiscal import fiscal_phrases
from dbt_t2s.query.periods import PHRASES as PHRASES_READ
from tests.query.said_dates import FISCAL, SAID, TODAY

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
older than 1 July||2025-07-01
later than 15 October|2025-10-16|
older than April||2026-04-01
the first half|2026-01-01|2026-07-01
second half|2025-07-01|2026-01-01
the month so far|2026-06-01|2026-07-01
the year so far|2026-01-01|2027-01-01
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
AROUND = ("{}", "orders {}", "revenue {} by country?")
_TH = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
_DAY_FORMS = (
    "on {:%Y-%m-%d}", "{:%Y/%m/%d}", "{:%d.%m.%Y}", "on {:%B} {d} {:%Y}", "{:%B} {d}, {:%Y}",
    "{d} {:%b} {:%Y}", "the {d}{th} of {:%B} {:%Y}", "{:%d}-{:%b}-{:%Y}", "{:%A}, {:%d %B %Y}",
    "{:%d%b%Y}", "{:%Y} {:%B} {d}",
)  # fmt: skip
PHRASES = [tuple(line.split("|")) for line in _PHRASES.strip().splitlines()]


def told(text: str, fiscal: FiscalYear | None = None) -> str:
    spans = date_spans(text, TODAY, fiscal)
    return " ".join(f"{span.range.start}..{span.range.end}" for span in spans)


@pytest.mark.parametrize(("phrase", "start", "end"), PHRASES, ids=[p[0] for p in PHRASES])
def test_a_phrase_means_a_range(phrase: str, start: str, end: str) -> None:
    for around in AROUND:
        assert told(around.format(phrase)) == f"{start}..{end}", around


@pytest.mark.parametrize(("phrase", "ranges"), SAID, ids=[p for p, _ in SAID])
def test_a_phrase_as_people_say_it(phrase: str, ranges: str) -> None:
    for around in AROUND:
        assert told(around.format(phrase)) == ranges, around


@pytest.mark.parametrize(("phrase", "ranges"), FISCAL, ids=[p for p, _ in FISCAL])
def test_a_fiscal_phrase_means_what_the_project_says(phrase: str, ranges: str) -> None:
    for around in AROUND:
        text = around.format(phrase)
        assert told(text, FiscalYear(7)) == ranges, around
        assert told(text) == "", "the calendar's year was taken"


def test_fiscal_years_are_named_as_the_project_names_them() -> None:
    starts = FiscalYear(2, "start")
    assert told("FY24", starts) == "2024-02-01..2025-02-01"
    assert told("last fiscal year", starts) == "2025-02-01..2026-02-01"
    assert told("FY2023/24", starts) == "2023-02-01..2024-02-01"
    assert told("Q1 FY24", FiscalYear(1)) == told("Q1 2024")


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
        "how may orders did we get",
        "may orders be cancelled",
        "may our sales team see this",
        "who may sales call",
        "how may bakery clients have we got",
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
    *(p for p, *_ in (*PHRASES, *SAID, *FISCAL)),
    *("since", "before", "after", "between", "and", "to", "from", "until", "may", "march"),
    *("2025", "31", "of", "the", "last", "-", "/", ".", ",", "'", "q", "week", "end of", "every"),
]
_PHRASES_IN_A_ROW = st.builds(
    str.join, st.sampled_from((" ", "  ", ", ")), st.lists(st.sampled_from(_PIECES), max_size=8)
)
_TEXTS = st.one_of(st.text(max_size=80), _PHRASES_IN_A_ROW)
_FISCAL_YEARS = st.one_of(
    st.none(), st.builds(FiscalYear, st.integers(1, 12), st.sampled_from(("end", "start")))
)


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        str.upper,
        lambda said: said.replace(" ", "  "),
        lambda said: said.replace(" ", "\u00a0"),
        lambda said: said.replace("-", "–").replace("'", "’"),
        '"{}"'.format,
        "({}), by shop".format,
    ],
)
def test_capitals_spaces_and_dashes_change_nothing(typed: Callable[[str], str]) -> None:
    for said, ranges in (*SAID, *FISCAL):
        # Without its capital "march" may be a verb, and with one it is a month.
        if not re.search(r"\bmarch orders", said, re.I):
            assert told(typed(f"orders {said}"), FiscalYear(7)) == ranges, said


@given(_TEXTS, st.integers(0, 4000), _FISCAL_YEARS)
@example("last 99999999999999999999 years", 0, None)
@example("from december to february", 181, None)
@example("since  jan–jul\n2024", 0, None)
@example("FY9999 to 9999-12-31", 0, FiscalYear(2))
@settings(max_examples=300)
def test_any_text_is_read_without_overlap(text: str, days: int, fiscal: FiscalYear | None) -> None:
    """No span is empty or reversed, in any of its meanings, and nothing raises."""
    spans = date_spans(text, date(2020, 1, 1) + timedelta(days=days), fiscal)
    for span in spans:
        assert text[span.start : span.end] == span.text
        for meant in (span.range, *span.others):
            assert meant.start or meant.end
            if meant.start and meant.end:
                assert date.fromisoformat(meant.start) < date.fromisoformat(meant.end)
    for one, other in pairwise(spans):
        assert one.end <= other.start


_UNDATED = st.text(
    st.characters(whitelist_categories=("L", "P", "Zs"), max_codepoint=0x17F), max_size=80
)
_TELLING = re.compile(
    r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|day|week|month|quarter|year|half|t[tm]m|ltm|"
    r"[ymqw]td|date|tonight|tomorrow|easter|christmas|halloween|eve|ago|fy|f[qh]",
    re.I,
)


@given(_UNDATED)
def test_text_without_a_number_or_a_word_of_dates_gives_none(text: str) -> None:
    assert _TELLING.search(text) or not date_spans(text, TODAY, FiscalYear(2))


@given(st.dates(date(1950, 1, 1), date(2090, 1, 1)), st.sampled_from(_DAY_FORMS))
def test_any_day_is_read_back(day: date, form: str) -> None:
    said = form.format(*[day] * 4, d=day.day, th=_TH.get(day.day, "th"))
    assert told(said) == f"{day}..{day + timedelta(days=1)}", said


@given(st.integers(1, 12), st.integers(1990, 2060), st.integers(0, 366), st.booleans())
def test_a_fiscal_years_quarters_follow_one_another(
    month: int, year: int, back: int, starts: bool
) -> None:
    fiscal = FiscalYear(month, "start" if starts else "end")
    ranges = [date_spans(f"Q{n} FY{year}", TODAY, fiscal)[0].range for n in (1, 2, 3, 4)]
    (whole,) = date_spans(f"fiscal {year}", TODAY, fiscal)
    assert [a.end for a in ranges[:-1]] == [b.start for b in ranges[1:]]
    assert (ranges[0].start, ranges[-1].end) == (whole.range.start, whole.range.end)
    assert date.fromisoformat(whole.range.start) == date(
        year if starts or month == 1 else year - 1, month, 1
    )
    today = TODAY - timedelta(days=back)
    (current,) = date_spans("this fiscal year", today, fiscal)
    (before,) = date_spans("last fiscal year", today, fiscal)
    assert current.range.start <= today.isoformat() < current.range.end
    assert before.range.end == current.range.start


def test_no_phrase_is_passed_over_for_want_of_a_word() -> None:
    """What a pattern is said to need is in whatever it matches."""
    texts = [p for p, *_ in (*PHRASES, *SAID, *FISCAL)]
    for each in (*PHRASES_READ, *fiscal_phrases(FiscalYear(7))):
        for text in texts:
            if each.needs and each.pattern.search(text):
                assert any(word in text.lower() for word in each.needs), (each.pattern, text)


def _seconds_of_dates(text: str) -> float:
    """CPU seconds, the least of five tries."""
    took = []
    for _ in range(5):
        began = time.process_time()
        date_spans(text, TODAY, FiscalYear(2))
        took.append(time.process_time() - began)
    return min(took)


def test_a_longer_question_takes_longer_in_proportion() -> None:
    """Of a long question with a date in each clause, and of one that is nothing but dates.

    Five hundred characters take 4 to 12 ms, by the machine: so their time is held against that of
    a quarter of them, which any quadratic step would leave sixteen times behind.
    """
    asked = "how many orders did the shops in the north get in March 2024 and since last Friday, "
    for text in (asked * 6, "from Jan to Mar 2024, 3/5/2024 and Q1 FY24 vs 2023-24; " * 9):
        assert _seconds_of_dates(text[:500]) < 8 * _seconds_of_dates(text[:125])
        assert _seconds_of_dates(text[:500]) < 0.1


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("invoices from June 2025", [("2025-06-01", "2025-07-01")]),
        ("invoices from June 2025 on", []),
        ("due in December", [("2026-12-01", "2027-01-01")]),
        ("gone before November", [("", "2026-11-01")]),
        ("Q1 and Q2 2024", [("2024-01-01", "2024-07-01")] * 2),
        ("due by 15 March 2025", [("2025-03-15", "2025-03-16")]),
        ("sales through March 2025", [("", "2025-04-01")]),
        ("the last 3 quarters", [("2025-07-01", "2026-04-01")]),
        ("the past month", [("2026-05-30", "2026-07-01")]),
        ("week of 2 March 2026", [("2026-03-02", "2026-03-03")]),
        ("since March 2025", []),
        ("since the launch in March 2025", [("2025-03-01", "2025-04-01")]),
        ("in 2025", []),
    ],
)
def test_what_a_phrase_may_mean_besides(text: str, others: list[tuple[str, str]]) -> None:
    found = (other for span in date_spans(text, TODAY) for other in span.others)
    assert [(other.start, other.end) for other in found] == others


@pytest.mark.parametrize(
    "text",
    [
        "may orders",
        "may sales by shop?",
        "show may revenue per city",
        "top 5 may orders",
        "total may sales",
    ],
)
def test_may_is_a_month_before_what_is_measured(text: str) -> None:
    assert told(text) == "2026-05-01..2026-06-01"


def test_may_is_no_month_when_somebody_may() -> None:
    assert not date_spans("drivers who may work at night", TODAY)
