"""Date phrases as people of several trades type them, decided on before they were first run.

``phrase|ranges``, seen from 30 June 2026 (a Tuesday): each range is ``first..after``, open where an
end is empty; a phrase without a range may mean two things or no day at all, and stays unread.
"""

from __future__ import annotations

from datetime import date

TODAY = date(2026, 6, 30)

_SAID = """
on March 10 2024|2024-03-10..2024-03-11
10 March|2026-03-10..2026-03-11
Jan-Mar 2024|2024-01-01..2024-04-01
Jan to March|2026-01-01..2026-04-01
no later than 2020|..2021-01-01
Q1 and Q2 2024|2024-01-01..2024-04-01 2024-04-01..2024-07-01
week 12 of 2024|2024-03-18..2024-03-25
the week of March 4|2026-03-02..2026-03-09
the first week of May|
two weeks ago|2026-06-15..2026-06-22
the last 3 quarters|2025-09-30..2026-07-01
since the beginning of the year|2026-01-01..
in the last quarter of 2023|2023-10-01..2024-01-01
between 3 and 5 May|2026-05-03..2026-05-06
3/5/2024|
at 5 o'clock|
after 5pm|
the 15th of last month|2026-05-15..2026-05-16
every March|
on weekends|
Mondays|
on or before March 5 2024|..2024-03-06
on or after 2024-03-05|2024-03-05..
in or after 2005|2005-01-01..
no earlier than April 2024|2024-04-01..
not before 2020|2020-01-01..
up to and including March 2024|..2024-04-01
earlier than 2012|..2012-01-01
due by 15 March 2025|..2025-03-16
by the end of the quarter|..2026-07-01
until the end of last month|..2026-06-01
end of last month|
in early next year|
mid-March|
from mid March to June 2024|
from January to the end of June 2024|2024-01-01..2024-07-01
from last year to last month|2025-01-01..2026-06-01
from 2020 to now|2020-01-01..
2020-present|2020-01-01..
10-Mar-2024|2024-03-10..2024-03-11
10-Mar-24|2024-03-10..2024-03-11
10MAR2024|2024-03-10..2024-03-11
24-Jan|2026-01-24..2026-01-25
Jan-24|
Jan '24|2024-01-01..2024-02-01
Jan-2024|2024-01-01..2024-02-01
Q1-2024|2024-01-01..2024-04-01
Q1/2024|2024-01-01..2024-04-01
1Q24|2024-01-01..2024-04-01
2H 2023|2023-07-01..2024-01-01
quarter 3 of 2024|2024-07-01..2024-10-01
last year's Q4|2025-10-01..2026-01-01
in March last year|2025-03-01..2025-04-01
in March of last year|2025-03-01..2025-04-01
this month last year|2025-06-01..2025-07-01
the same period last year|
this time last year|
a year ago today|2025-06-30..2025-07-01
half a year ago|
1.5 years ago|
last weekend|2026-06-27..2026-06-29
since Monday|2026-06-29..
Monday of last week|2026-06-22..2026-06-23
on Monday and Tuesday|
Tuesday, March 3|2026-03-03..2026-03-04
Monday, March 3 2026|
yesterday morning|
last Friday night|
week commencing 4 March 2024|2024-03-04..2024-03-11
w/c 4 March 2024|2024-03-04..2024-03-11
week ending 8 March 2024|2024-03-02..2024-03-09
year ended 31 March 2024|2023-04-01..2024-04-01
the 12 months to June 2025|2024-07-01..2025-07-01
the quarter ending 30 June 2024|2024-04-01..2024-07-01
first 10 days of March 2024|2024-03-01..2024-03-11
last 3 months of 2023|2023-10-01..2024-01-01
first six months of last year|2025-01-01..2025-07-01
last day of 2023|2023-12-31..2024-01-01
last week in March|
first Monday of March 2024|2024-03-04..2024-03-05
first half of March|
the first of May 2024|2024-05-01..2024-05-02
May the 4th|2026-05-04..2026-05-05
3-5 May 2024|2024-05-03..2024-05-06
May 3-5, 2024|2024-05-03..2024-05-06
May 3 to 5|2026-05-03..2026-05-06
3 and 15 May|
from the 1st to the 15th of January 2024|2024-01-01..2024-01-16
March 4/5|2026-03-04..2026-03-06
the day after Black Friday 2024|2024-11-30..2024-12-01
the week before Christmas|
3 days after 2024-03-01|
Cyber Monday 2024|2024-12-02..2024-12-03
Good Friday 2024|2024-03-29..2024-03-30
New Year's Eve 2023|2023-12-31..2024-01-01
Mother's Day 2024|
holiday season 2023|
Thanksgiving 2024|
Christmas last year|2025-12-25..2025-12-26
Christmas week 2024|
Black Friday weekend 2024|
school year 2023/24|
2023/24|
2023-24|
1990-95|1990-01-01..1996-01-01
2010/2011|
2024/03/10|2024-03-10..2024-03-11
2024/03|2024-03-01..2024-04-01
03-2024|2024-03-01..2024-04-01
3/14/24|2024-03-14..2024-03-15
14/3/2024|2024-03-14..2024-03-15
5/5/2024|2024-05-05..2024-05-06
between 3/1/2024 and 3/31/2024|2024-03-01..2024-04-01
between 3/1/2024 and 3/5/2024|
2024-03-10T00:00:00|2024-03-10..2024-03-11
weeks 10 to 12 of 2024|2024-03-04..2024-03-25
week 10 to week 12 of 2024|2024-03-04..2024-03-25
Q1 2023 vs 2024|2023-01-01..2023-04-01 2024-01-01..2024-04-01
March this year vs last year|2026-03-01..2026-04-01 2025-03-01..2025-04-01
this vs last month|2026-06-01..2026-07-01 2026-05-01..2026-06-01
March vs March 2024|2026-03-01..2026-04-01 2024-03-01..2024-04-01
December and January 2025|2024-12-01..2025-01-01 2025-01-01..2025-02-01
Q4 vs Q1 2024|
Jan, Feb and Mar 2024|2024-01-01..2024-02-01 2024-02-01..2024-03-01 2024-03-01..2024-04-01
from December 2024 to March|2024-12-01..2025-04-01
2025 - 2024|2025-01-01..2026-01-01 2024-01-01..2025-01-01
next 30 days|2026-06-30..2026-07-31
TTM|2025-06-30..2026-07-01
last 3 full months|2026-03-01..2026-06-01
that average but for this whole year|2026-01-01..2027-01-01
the entire month, this entire month|2026-06-01..2026-07-01
prior year to date|2025-01-01..2025-07-01
2026 YTD|2026-01-01..2026-07-01
2025 YTD|
around March 2024|
late 2023|
later this year|
the early 90s|
since '22|2022-01-01..
pre-2020|..2020-01-01
post-2020|2021-01-01..
in Mar 24|2024-03-01..2024-04-01
not until March 2024|
over $2020|
SKU-2024|
INV-2024-0012|
2000.50|
top 5 March orders|2026-03-01..2026-04-01
top 5 days of 2024|2024-01-01..2025-01-01
by week of 2024|2024-01-01..2025-01-01
each month of 2024|2024-01-01..2025-01-01
last quarter of the year|
May Day 2024|
in Febuary 2024|2024-02-01..2024-03-01
2024 March 10|2024-03-10..2024-03-11
after Jan 2024 until Mar 2024|2024-02-01..2024-04-01
since the 15th of this month|2026-06-15..
the 31st of this month|
in March each year|
Q4 of every year|
admitted between 1 and 14 Feb|2026-02-01..2026-02-15
discharged on the 3rd of this month|2026-06-03..2026-06-04
shipped 01.02.2024 - 15.02.2024|2024-02-01..2024-02-16
picked in KW 14/2025|2025-03-31..2025-04-07
marks for term starting September 2024|2024-09-01..
invoices dated 31/12/2024|2024-12-31..2025-01-01
accruals as at 31 March 2025|2025-03-31..2025-04-01
postings for period 3|
opex Jan 25 - Mar 25 2024|2024-01-25..2024-03-26
spend YTD vs PYTD|2026-01-01..2026-07-01 2025-01-01..2025-07-01
clicks over the Easter weekend 2025|
bookings for 24-26 Dec 2024|2024-12-24..2024-12-27
arrivals 24/12 to 26/12|
check-ins next weekend|
rainfall in the first quarter of the current year|2026-01-01..2026-04-01
harvest Aug/Sept 2024|2024-08-01..2024-09-01 2024-09-01..2024-10-01
milk yield since spring 2024|
calls before noon on 4 March 2025|2025-03-04..2025-03-05
calls at 10:30|
deploys in the last 24 hours|
deploys in the past fortnight|
errors since 2025-03-01T00:00|2025-03-01..
releases between v2.0 and v2.1|
hires from 2019 through 2021|2019-01-01..2022-01-01
leavers in the 12 months ending December 2024|2024-01-01..2025-01-01
contracts expiring within the next 90 days|2026-06-30..2026-09-29
contracts expiring on or before 30 September|..2025-10-01
cases filed no later than the 15th of May 2024|..2024-05-16
hearings on the first Tuesday in June 2025|2025-06-03..2025-06-04
goals in the 2023/2024 season|
matches played in Aug. and Sept. 2023|2023-08-01..2023-09-01 2023-09-01..2023-10-01
sales on Black Friday vs Cyber Monday 2024|2024-11-29..2024-11-30 2024-12-02..2024-12-03
sales on black friday 2023 and 2024|2023-11-24..2023-11-25 2024-11-29..2024-11-30
revenue H1 vs H2 2024|2024-01-01..2024-07-01 2024-07-01..2025-01-01
revenue 2H24|2024-07-01..2025-01-01
revenue Q4'23|2023-10-01..2024-01-01
revenue q1 thru q3 of last year|2025-01-01..2025-10-01
revenue in the three months to May 2025|2025-03-01..2025-06-01
donations in calendar 2024|2024-01-01..2025-01-01
donations in '24|2024-01-01..2025-01-01
members since the 80s|1980-01-01..
members who joined in the mid-1990s|
cars built in the late 90s|
cars built from 1990 to the early 2000s|
films from the nineties|
weight over 2000 kg|
2019 customers in 2020|2019-01-01..2020-01-01 2020-01-01..2021-01-01
orders of 2000.00 EUR or more|
orders in may or june|2026-05-01..2026-06-01 2026-06-01..2026-07-01
may I see orders for june|2026-06-01..2026-07-01
who may cancel before 3 May 2025|..2025-05-03
march orders|
last mon|
this coming month|2026-07-01..2026-08-01
month to date and last month|2026-06-01..2026-07-01 2026-05-01..2026-06-01
week on week change last week|2026-06-22..2026-06-29
tickets closed the day before yesterday|2026-06-28..2026-06-29
tickets open for more than 30 days|
tickets older than 2 weeks|
sign-ups on 29.2.2024|2024-02-29..2024-03-01
sign-ups on 29.2.2023|
sign-ups on Feb 29 2023|
sign-ups 1st Jan 2024 – 31st Jan 2024|2024-01-01..2024-02-01
sign-ups from the 1st of April until today|2026-04-01..2026-07-01
sign-ups from April to date|2026-04-01..
everything since last Christmas|2025-12-25..
everything after the summer of 2023|
every other Friday|
third week of July 2024|
last working day of March 2024|
in the run-up to Christmas 2024|
mid 2024 to end of 2024|
from mid-2023 until now|
the week after next|
the weekend of 8 March 2025|2025-03-08..2025-03-10
4th July|2025-07-04..2025-07-05
Fri 7 March 2025|2025-03-07..2025-03-08
Friday 13th|
q5 2024|
13/2024|
2024-13|
32 March 2024|2024-03-01..2024-04-01
patients seen Mon 3 Mar through Fri 7 Mar 2025|2025-03-03..2025-03-08
ward rounds on the 1st and 15th of March 2025|
ward rounds on 1, 2 and 3 March 2025|
births in the small hours of 1 January 2025|2025-01-01..2025-01-02
exams in term 2 2024|2024-01-01..2025-01-01
grades for the 2023-2024 school year|
payroll for the fortnight ending 14 March 2025|2025-03-01..2025-03-15
payroll run of 31st Dec|2025-12-31..2026-01-01
VAT for Q3 '24|2024-07-01..2024-10-01
debtors > 90 days|
outstanding amount as of today|
ageing as of 30 June 2025|2025-06-30..
journal entries dated 1/1/25|2025-01-01..2025-01-02
journal entries dated 13/1/25|2025-01-13..2025-01-14
budget vs actuals Jan-Jun|2026-01-01..2026-07-01
budget Jan – Jun '25|2025-01-01..2025-07-01
footfall on Sundays in March 2025|2025-03-01..2025-04-01
footfall week 9 vs week 10 2025|2025-02-24..2025-03-03 2025-03-03..2025-03-10
footfall w/e 09/03/2025|
units sold from wk 10 to wk 12|
units sold in weeks 10 and 12|
promo 12 to 18 August 2024|2024-08-12..2024-08-19
promo from Aug 12th to the 18th, 2024|2024-08-12..2024-08-19
promo Aug. 12 thru Aug. 18, 2024|2024-08-12..2024-08-19
flights departing after 6pm on 24 Dec 2024|2024-12-24..2024-12-25
flights between 24 Dec 2024 and 6 Jan 2025|2024-12-24..2025-01-07
flights departing tomorrow night|
parcels received 2 days ago|2026-06-28..2026-06-29
parcels received within 2 days of 3 March 2025|
parcels lost in the week after Easter|
parcels due by end of day tomorrow|..2026-07-02
parcels due by tomorrow|..2026-07-02
sprint 24 velocity|
commits since 2024.03|
version 2024.1 downloads|
sensor readings at 2025-03-01 00:00:00|2025-03-01..2025-03-02
leases starting 1 May 2024 or later|2024-05-01..
leases ending before the end of 2025|..2026-01-01
tenants since at least 2015|
tenants from the beginning of 2015 until the middle of 2018|
houses built before or in 1950|..1951-01-01
houses built pre-1950|..1950-01-01
houses built in the 1950s or 1960s|1950-01-01..1960-01-01 1960-01-01..1970-01-01
seasons 2018 through 2020|2018-01-01..2021-01-01
season 3 episode 4|
wins in 2018, 2019 or 2021|2018-01-01..2019-01-01 2019-01-01..2020-01-01 2021-01-01..2022-01-01
wins on their May 2019 tour|2019-05-01..2019-06-01
the May bank holiday|
Mr March's orders|
augusta orders|
decent sales|
second-hand sales in q2|2026-04-01..2026-07-01
sold 1st half 2024|2024-01-01..2024-07-01
sold first 2 quarters of 2024|2024-01-01..2024-07-01
sold last two weeks of December 2024|
sold Jan 2024 YoY|2024-01-01..2024-02-01
sold 2024 YoY vs 2023|2024-01-01..2025-01-01 2023-01-01..2024-01-01
sold in 2024 compared to the year before|2024-01-01..2025-01-01
sold this March compared with last March|2026-03-01..2026-04-01 2025-03-01..2025-04-01
sold on a Monday in 2024|2024-01-01..2025-01-01
sold in January of every year since 2020|2020-01-01..
sold per quarter for the last 2 years|2024-06-30..2026-07-01
sold for the current and previous month|2026-06-01..2026-07-01 2026-05-01..2026-06-01
since the launch in May|2026-05-01..
since we opened in March 2024|2024-03-01..
until the relaunch in June|..2026-06-01
from customers that signed up since the sale in May|2026-05-01..
since Anna joined in May|2026-05-01..
since the shop opened on 3 May 2024 by city|2024-05-03..
since the price rise at Easter|2026-04-05..
since launch in 2019|2019-01-01..
since the migration in Q1 2025|2025-01-01..
before the relaunch in June|..2026-06-01
before we moved in June 2024|..2024-06-01
until the party at Christmas|..2025-12-25
after the relaunch in June|2026-06-01..2026-07-01
cancelled before the deadline in July|2025-07-01..2025-08-01
since they joined in May|2026-05-01..2026-06-01
since the last visit in May|2026-05-01..2026-06-01
since the tax on 2024 income|2024-01-01..2025-01-01
since our June launch in May|2026-06-01..2026-07-01 2026-05-01..2026-06-01
since the start of the sale in May|2026-05-01..2026-06-01
since the launch in early May|
since the appointment in March 2024 to June 2024|2024-03-01..2024-07-01
from the shop in May|2026-05-01..2026-06-01
till sales in May|2026-05-01..2026-06-01
what were may sales in Leeds|2026-05-01..2026-06-01
the top 5 may orders|2026-05-01..2026-06-01
all dec sales by region|2025-12-01..2026-01-01
over the weekend|2026-06-27..2026-06-29
sold over the weekend by shop|2026-06-27..2026-06-29
over the weekend of 8 March 2025|2025-03-08..2025-03-10
at the weekend|
over the weekend shift|
first half of the year|2026-01-01..2026-07-01
in the first quarter of the year|2026-01-01..2026-04-01
the second half of the year|
the first half of the year 2024|2024-01-01..2024-07-01
first half of the year before|
between the 1st and the 24th of December 2023|2023-12-01..2023-12-25
from the 3rd to the 9th of May|2026-05-03..2026-05-10
last fortnight|
last winter|
"""
_FISCAL = """
FY24|2023-07-01..2024-07-01
fy 2024|2023-07-01..2024-07-01
FY'24|2023-07-01..2024-07-01
fiscal 2024|2023-07-01..2024-07-01
fiscal year 2024|2023-07-01..2024-07-01
in financial year 2023/24|2023-07-01..2024-07-01
FY2023/24|2023-07-01..2024-07-01
FY2023-24|2023-07-01..2024-07-01
FY23/24|2023-07-01..2024-07-01
FY23-24|
FY2022/24|
2024 fiscal year|2023-07-01..2024-07-01
FY24 Q1|2023-07-01..2023-10-01
FY24Q1|2023-07-01..2023-10-01
Q1 FY24|2023-07-01..2023-10-01
Q1FY24|2023-07-01..2023-10-01
Q3 of fiscal 2024|2024-01-01..2024-04-01
fiscal Q3 2024|2024-01-01..2024-04-01
FQ3 2024|2024-01-01..2024-04-01
fiscal Q4|2026-04-01..2026-07-01
first quarter of fiscal 2024|2023-07-01..2023-10-01
second fiscal quarter of 2024|2023-10-01..2024-01-01
H1 FY2025|2024-07-01..2025-01-01
second half of FY25|2025-01-01..2025-07-01
last fiscal year|2024-07-01..2025-07-01
this fiscal year|2025-07-01..2026-07-01
next fiscal year|2026-07-01..2027-07-01
last FY|2024-07-01..2025-07-01
previous fiscal quarter|2026-01-01..2026-04-01
current fiscal quarter|2026-04-01..2026-07-01
Q2 of last fiscal year|2024-10-01..2025-01-01
last fiscal year's Q2|2024-10-01..2025-01-01
FYTD|2025-07-01..2026-07-01
fiscal year to date|2025-07-01..2026-07-01
the last 2 fiscal years|2023-07-01..2025-07-01
since FY23|2022-07-01..
before FY23|..2022-07-01
after fiscal 2023|2023-07-01..
FY22 to FY24|2021-07-01..2024-07-01
FY22-FY24|2021-07-01..2024-07-01
between FY22 and FY24|2021-07-01..2024-07-01
Q1-Q3 FY24|2023-07-01..2024-04-01
Q1 and Q2 FY24|2023-07-01..2024-01-01
Q1 vs Q2 FY24|
FY24 Q1 vs FY25 Q1|2023-07-01..2023-10-01 2024-07-01..2024-10-01
Q1 FY24 vs FY25|2023-07-01..2023-10-01 2024-07-01..2024-10-01
FY24 vs FY25|2023-07-01..2024-07-01 2024-07-01..2025-07-01
March FY24|
since the start of the fiscal year|2025-07-01..
by the end of FY25|..2025-07-01
fiscal year ending 2024|
last fiscal month|
by fiscal year|
fiscal year|
early FY24|
"""


def _table(written: str) -> tuple[tuple[str, str], ...]:
    lines = (line.partition("|") for line in written.strip().splitlines())
    return tuple((phrase, ranges) for phrase, _, ranges in lines)


SAID = _table(_SAID)
# Where fiscal years begin in July and are named for the year that they end in.
FISCAL = _table(_FISCAL)
