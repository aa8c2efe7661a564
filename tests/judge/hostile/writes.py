"""Statements that write or hold state, and several statements in one text."""

from __future__ import annotations

_CHANGES = {
    "insert": "insert into marts.orders select * from marts.orders",
    "insert values": "insert into marts.customers values (1, 'x', 'new', current_date)",
    "insert or replace": "insert or replace into marts.orders select * from marts.orders",
    "insert by name": "insert into marts.orders by name select 1 as order_id",
    "delete": "delete from marts.orders",
    "delete using": "delete from marts.orders using marts.customers where true",
    "update": "update marts.orders set net = 0",
    "merge": "merge into marts.orders using marts.orders o on true when matched then delete",
    "truncate": "truncate marts.orders",
    "drop table": "drop table marts.orders",
    "drop view": "drop view if exists marts.big_orders cascade",
    "drop schema": "drop schema marts cascade",
    "alter": "alter table marts.orders drop column net",
    "rename": "alter table marts.orders rename to gone",
    "create table": "create table x as select 1",
    "create temp table": "create temp table x as select 1",
    "create or replace": "create or replace table marts.orders as select 1",
    "create view": "create view x as select * from secret",
    "replace a view": "create or replace temp view big_orders as select * from secret",
    "create schema": "create schema x",
    "create index": "create index i on marts.orders (net)",
    "create sequence": "create sequence s",
    "create type": "create type t as enum ('a')",
    "create macro": "create macro m() as (select password from secret)",
    "create temp macro": "create or replace temp macro lower(x) as (select password from secret)",
    "create table macro": "create macro m() as table select * from secret",
    "create function": "create function m(x) as x",
    "comment on": "comment on table marts.orders is 'x'",
    "prepare": "prepare p as select * from secret",
    "execute": "execute p",
    "execute with arguments": "execute p(1, 'x')",
    "deallocate": "deallocate p",
    "begin": "begin transaction",
    "commit": "commit",
    "rollback": "rollback",
    "checkpoint": "checkpoint",
    "force checkpoint": "force checkpoint shop",
    "vacuum": "vacuum",
    "analyze": "analyze marts.orders",
    "explain": "explain select 1",
    "explain analyze": "explain analyze select * from secret",
    "call": "call pragma_version()",
    "use": "use memory",
    "set variable": "set variable x = (select password from secret)",
    "reset variable": "reset variable x",
    "declare": "declare c cursor for select 1",
    "do": "do $$ begin end $$",
    "grant": "grant select on marts.orders to public",
    "kill": "kill 1",
    "lock": "lock table marts.orders",
    "listen": "listen x",
}
_RETURNING = {
    "insert": "insert into marts.orders select * from marts.orders returning *",
    "delete": "delete from marts.orders returning *",
    "update": "update marts.orders set net = 0 returning *",
    "merge": "merge into marts.orders using marts.orders o on true when matched then delete"
    " returning *",
    "create": "create table x as select 1",
    "copy": "copy marts.orders to '@FOLDER@/out.csv'",
    "drop": "drop table marts.orders",
}
_HIDDEN = {
    "cte": "with x as ({}) select * from x",
    "materialized cte": "with x as materialized ({}) select 1",
    "second cte": "with a as (select 1), x as ({}) select * from a",
    "cte within": "select * from (with x as ({}) select * from x)",
    "recursive cte": "with recursive x as ({}) select 1",
    "subquery": "select * from ({}) x",
    "scalar": "select ({})",
    "union": "select 1 union all ({})",
}
_SEPARATED = {
    "two": "select 1; {}",
    "first": "{}; select 1",
    "many semicolons": "select 1;;;; {};;;;",
    "after a comment": "select 1 -- the end\n; {}",
    "after a block comment": "select 1 /* ; */ ; {}",
    "after nested comments": "select 1 /* /* */ ; {}",
    "after a string": "select ';' ; {}",
    "after an open quote": "select '\\'; {} --'",
    "after dollar quotes": "select $$ ' $$; {}",
    "after tagged dollar quotes": "select $a$ $$ $a$; {}",
    "after an identifier": 'select 1 as ";"; {}',
    "on a line of its own": "select 1;\r\n{}",
    "after a carriage return": "select 1 --\r; {}",
    "after an escape": "select e'\\''; {}",
}

STATEMENTS = {
    **_CHANGES,
    **{
        f"{change} in {place}": sql.format(body)
        for change, body in _RETURNING.items()
        for place, sql in _HIDDEN.items()
    },
    **{
        f"{change} {place}": sql.format(_CHANGES[change])
        for change in ("delete", "create temp table", "set variable", "prepare")
        for place, sql in _SEPARATED.items()
    },
    "select into": "select * into x from marts.orders",
    "select into temp": "select * into temp x from marts.orders",
    "for update": "select * from marts.orders for update",
    "next value": "select nextval('s')",
    "current value": "select currval('s')",
    "set a seed": "select setseed(0.5)",
    "two selects": "select 1; select 2",
    "three selects": "select 1; select 2; select 3",
    "only semicolons": ";;;",
}
