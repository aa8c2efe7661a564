"""What people ask for, and must be answered."""

from __future__ import annotations

QUERIES = (
    "select 1",
    "(select 1)",
    "select count(*) from marts.orders",
    "from marts.orders",
    "from marts.orders select channel, net where net > 10",
    "table marts.orders",
    "values (1, 'a'), (2, 'b')",
    "select * from (values (1, 'a'), (2, 'b')) as t(n, letter)",
    "select distinct channel from marts.orders order by channel nulls last",
    "select distinct on (customer_id) customer_id, net from marts.orders order by customer_id, net",
    "select * exclude (discount) replace (round(net) as net) from shop.marts.orders limit 3",
    "select columns('net|gross') from marts.orders limit 3",
    "select min(columns(*)) from marts.customers",
    "select columns(lambda c: c like 'n%') from marts.orders limit 1",
    'select "order_id", "Net" from "marts"."orders" limit 1',
    "SELECT COUNT(*) FROM MARTS.ORDERS WHERE NET > 10",
    "select kind, count(*) as n from marts.customers group by kind order by n desc limit 5",
    "select kind, count(*) as n from marts.customers group by all having n > 5 order by all",
    "with o as (select customer_id, sum(net) as total from marts.orders group by all)"
    " select c.name, o.total from o join marts.customers c using (customer_id)",
    "with a as (select 1 as x), b as (select x + 1 as y from a) select * from a, b",
    "with a as materialized (select * from marts.orders) select count(*) from a, a as b"
    " where a.order_id = b.order_id",
    "with orders as (select * from marts.orders where net > 5) select count(*) from orders",
    "with recursive r as (select 1 as n union all select n + 1 from r where n < 5) select * from r",
    "with recursive days(d) as (select date '2024-01-01' union all select d + 1 from days"
    " where d < date '2024-01-10') select d::date, count(order_id) from days left join marts.orders"
    " on ordered_on = d group by d",
    "select order_id, row_number() over (partition by customer_id order by net desc) r"
    " from marts.orders qualify r = 1",
    "select lag(net) over w, sum(net) over (order by order_id rows between 6 preceding and current"
    " row) from marts.orders window w as (order by order_id)",
    "select ordered_on, avg(sum(net)) over (order by ordered_on range between interval 6 days"
    " preceding and current row) from marts.orders group by ordered_on",
    "select ntile(4) over (order by net), percent_rank() over (order by net), dense_rank() over"
    " (order by net desc), first_value(net ignore nulls) over (order by net) from marts.orders",
    "select count(*) filter (where channel is null), sum(net) filter (net > 10) from marts.orders",
    "select channel, customer_id, sum(net), grouping(channel) from marts.orders"
    " group by grouping sets ((channel), (customer_id), ())",
    "select channel, sum(net) from marts.orders group by rollup (channel)",
    "select channel, year(ordered_on), sum(net) from marts.orders group by cube (1, 2)",
    "select c.name, top.net from marts.customers c, lateral (select net from marts.orders o where"
    " o.customer_id = c.customer_id order by net desc limit 2) top",
    "select c.name, (select max(net) from marts.orders o where o.customer_id = c.customer_id)"
    " from marts.customers c",
    "select customer_id from marts.orders intersect select customer_id from marts.customers",
    "select customer_id from marts.customers except all select customer_id from marts.orders",
    "select 1 as a, 2 as b union all by name select 3 as b",
    "select * from marts.customers c where not exists"
    " (select 1 from marts.orders o where o.customer_id = c.customer_id)",
    "select * from marts.customers where customer_id not in (select customer_id from marts.orders"
    " where net > 1000)",
    "select name from marts.customers where customer_id = any(select customer_id from"
    " marts.orders)",
    "select sum(quantity) from marts.order_lines l join marts.orders o using (order_id)",
    "select count(*) from marts.customers c left join marts.orders o on o.customer_id ="
    " c.customer_id and o.net > 50 full join marts.order_lines l using (order_id)",
    "select * from marts.customers c semi join marts.orders o on o.customer_id = c.customer_id",
    "select * from marts.customers c anti join marts.orders o on o.customer_id = c.customer_id",
    "select o.order_id, c.name from marts.orders o asof join marts.customers c"
    " on o.ordered_on >= c.signed_up_on",
    "select a.order_id, b.name from marts.orders a positional join marts.customers b",
    "select date_trunc('month', ordered_on) as m, sum(net) from marts.orders group by 1",
    "select extract(year from ordered_on), median(net), quantile_cont(net, 0.9)"
    " from marts.orders group by 1",
    "select date_diff('day', min(ordered_on), max(ordered_on)), current_date - interval '7 days'"
    " from marts.orders",
    "select strftime(ordered_on, '%Y-%m'), dayname(ordered_on), monthname(ordered_on),"
    " last_day(ordered_on), quarter(ordered_on), week(ordered_on), isodow(ordered_on)"
    " from marts.orders",
    "select age(date '2024-03-01', date '2024-01-31'), make_date(2024, 2, 29), to_days(3),"
    " epoch(timestamp '2024-01-01'), strptime('2024-01-31', '%Y-%m-%d'), date_part('doy', now())",
    "select time_bucket(interval '1 week', ordered_on) as w, count(*) from marts.orders group by w",
    "select timestamp '2024-01-01 12:00' at time zone 'Europe/Berlin', today() > date '2020-01-01'",
    "select d::date from generate_series(date '2024-01-01', date '2024-02-01', interval 1"
    " day) t(d)",
    "select * from range(5) t(n)",
    "select unnest([1, 2, 3]) as n",
    "select n, letter from (select [1, 2] as list, 'a' as letter), unnest(list) as t(n)",
    "select list(name order by name) filter (where kind = 'new'), string_agg(name, ', ' order by"
    " customer_id) from marts.customers",
    "select [x * 2 for x in [1, 2, 3] if x > 1], list_transform([1, 2], lambda x: x + 1),"
    " list_filter([1, 2], lambda x: x > 1), list_reduce([1, 2, 3], lambda x, y: x + y)",
    "select list_contains([1, 2], 1), len([1, 2]), [3, 1, 2][1], [1, 2, 3][2:], list_sort([2, 1]),"
    " list_sum([1, 2]), list_stddev_pop([1, 2]), list_intersect([1, 2], [2]),"
    " array_to_string(['a'],"
    " ',')",
    "select {'a': 1, 'b': 'x'}.b, map {'k': 1}['k'], struct_pack(a := 1), row(1, 2)",
    'select \'{"a": {"b": [1, 2]}}\'::json ->> \'$.a.b[0]\', json_extract_string(\'{"a":'
    " 1}', '$.a')",
    "select e.value from json_each('[1, 2, 3]') e",
    "select regexp_replace(name, '\\d+', '#'), regexp_extract(name, '(\\d+)', 1),"
    " regexp_matches(name, '^cust'), regexp_split_to_array(name, ' ') from marts.customers",
    "select upper(name) || '!' from marts.customers where name like 'cust%' and kind in"
    " ('new', 'returning') and signed_up_on >= current_date - 100000",
    "select name from marts.customers where name ilike '%MER 1_' or name similar to '.*2' or"
    " name ~ '3$' or name not like 'x#%' escape '#'",
    "select trim(both ' ' from ' a '), substring(name from 1 for 3), position('o' in name),"
    " split_part(name, ' ', 2), lpad(name, 20, '.'), left(name, 2), reverse(name), concat_ws('-',"
    " name, kind), format('{}: {}', name, kind), printf('%05.2f', 1.5) from marts.customers",
    "select case when net > 10 then 'big' else 'small' end, sum(net) / nullif(count(*), 0)"
    " from marts.orders group by 1",
    "select case channel when 'channel 1' then 1 when null then 2 end, if(net > 10, 1, 0),"
    " coalesce(channel, 'none'), ifnull(channel, '?'), iff from (select *, 1 as iff from"
    " marts.orders)",
    "select net::double, cast(gross as int), try_cast(channel as int), net::varchar || '€'"
    " from marts.orders",
    "select round(avg(net), 2), stddev(net), var_samp(gross), corr(net, gross), mode(channel),"
    " arg_max(order_id, net), max_by(order_id, net), min(net, 3), approx_count_distinct(channel),"
    " count(distinct (channel, customer_id)), bool_or(net > 1), product(1), histogram(channel)"
    " from marts.orders",
    "select percentile_cont(0.5) within group (order by net), mode() within group (order by"
    " channel)"
    " from marts.orders",
    "select sum(net) * 100.0 / sum(sum(net)) over () as share from marts.orders group by channel",
    "select greatest(net, 1), least(net, 1), abs(-net), ceil(net), net // 3, net % 3, net ** 2,"
    " sqrt(net), ln(net), sign(net), width from (select *, 1 as width from marts.orders)",
    "select * from marts.orders pivot (sum(net) for channel in ('channel 1', 'channel 2')"
    " group by customer_id)",
    "select * from (select order_id, net, gross from marts.orders)"
    " unpivot (amount for kind in (net, gross))",
    "select * from marts.big_orders where net between 10 and 50 and channel ilike '%1'",
    "select count(*) from marts.orders tablesample reservoir(10)",
    "select * from marts.orders using sample 10% (bernoulli, 42)",
    "select * from marts.orders order by net desc nulls first, 1 limit 5 offset 10",
    "select * from marts.orders limit 10%",
    "select order_id from marts.orders where channel is not distinct from null",
    "select order_id from marts.orders where (customer_id, net) in ((1, 2.0), (2, 4.0))",
    "select 'delete from x; drop table y' as words, 'it''s' as \"the \"\"name\"\"\"",
    "select 'naïve ☕ 東京' as \"naïve ☕\" -- a comment; with a semicolon",
    "select /* read_csv('x') */ 1; -- the end",
    "select 1;",
    "select channel as \"secret\", 'read_text' as password from marts.orders",
    "with secret as (select 1 as password) select password from secret",
    "with t as (select channel from marts.orders) select * from t a join t b using"
    " (channel) limit 1",
    "select $$it's$$, e'tab\\t', x'41', 0x1F, 1_000, 1e3, .5, true, null, interval '1' month",
    "select typeof(net), hash(channel) is null, md5('x') from marts.orders limit 1",
)

# dialect, query
OTHER_DIALECTS = (
    (
        "snowflake",
        "select iff(net > 10, 'big', 'small'), div0(net, 2), zeroifnull(net) from marts.orders",
    ),
    (
        "snowflake",
        "select dateadd(day, 1, ordered_on), to_char(ordered_on, 'YYYY-MM'),"
        " nvl(channel, '?') from SHOP.MARTS.ORDERS qualify row_number() over (order by net) < 5",
    ),
    (
        "bigquery",
        "select safe_divide(net, 2), date_trunc(ordered_on, month),"
        " format_date('%Y', ordered_on) from `shop.marts.orders`",
    ),
    (
        "bigquery",
        "select countif(net > 1), array_agg(channel ignore nulls), safe_cast('1' as int64)"
        " from `shop`.`marts`.`orders`",
    ),
    (
        "postgres",
        "select extract(year from ordered_on), net::numeric, string_agg(channel, ','),"
        " coalesce(max(channel), 'x') from marts.orders group by 1, 2",
    ),
    ("redshift", "select top 5 channel, listagg(channel, ',') from marts.orders group by 1"),
    (
        "databricks",
        "select date_format(ordered_on, 'yyyy'), collect_list(channel)"
        " from `marts`.`orders` group by 1",
    ),
    (
        "tsql",
        "select top 5 isnull(channel, 'x'), datediff(day, ordered_on, getdate())"
        " from [marts].[orders]",
    ),
)
