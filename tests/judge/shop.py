"""A small warehouse with relations that may be read and one that may not."""

from __future__ import annotations

from pathlib import Path

from dbt_t2s import duck

RELATIONS = (
    '"shop"."marts"."customers"',
    "shop.marts.orders",
    "marts.order_lines",
    "shop.marts.big_orders",
)

SCRIPT = """
create schema marts;
create table marts.customers as
  select range + 1 as customer_id, 'customer ' || range as name,
         case when range % 3 = 0 then 'new' else 'returning' end as kind,
         date '2023-01-01' + (range * 3)::int as signed_up_on
  from range(60);
create table marts.orders as
  select range + 1 as order_id, 1 + range % 60 as customer_id,
         date '2024-01-01' + (range % 366)::int as ordered_on,
         (range % 37 + 1) * 2.50::decimal(10, 2) as gross,
         (range % 37 + 1) * 0.50::decimal(10, 2) as discount,
         (range % 37 + 1) * 2.00::decimal(10, 2) as net,
         case when range % 5 = 0 then null else 'channel ' || (range % 4) end as channel
  from range(600);
create table marts.order_lines as
  select range + 1 as line_id, 1 + range % 600 as order_id, 1 + range % 4 as quantity
  from range(1500);
create view marts.big_orders as select * from marts.orders where net > 20;
create schema staging;
create table staging.secret as select 'hunter2' as password;
create table secret as select 'hunter3' as password;
"""


def make_shop(path: Path, fewer: int = 0) -> Path:
    """``fewer`` is how many of the 600 orders are left out at the end."""
    path.parent.mkdir(exist_ok=True)
    with duck.open_writable(path) as connection:
        connection.execute(SCRIPT)
        if fewer:
            connection.execute(f"delete from marts.orders where order_id > {600 - fewer}")
    return path
