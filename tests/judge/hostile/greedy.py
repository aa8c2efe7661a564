"""What would take all time or memory. Some are ended, some turn out cheap: all stay in limits."""

from __future__ import annotations

_LONG = "lpad('a', 100000000, 'a')"
_MANY = "range(1000000000)"

# Without an end, or with one that nobody waits for.
ENDLESS = {
    "cross joins": "select count(*) from marts.orders a, marts.orders b, marts.orders c,"
    " marts.orders d",
    "join on an inequality": "select count(*) from range(10000000) a(x) join range(10000000) b(x)"
    " on a.x + b.x > 5",
    "range in from": "select sum(x) from range(100000000000) t(x)",
    "distinct range": "select count(distinct x % 1000) from range(100000000000) t(x)",
    "series of times": "select count(*) from generate_series(timestamp '0001-01-01',"
    " timestamp '9999-01-01', interval 1 microsecond)",
    "recursion": "with recursive r as (select 1 as n union all select n + 1 from r)"
    " select max(n) from r",
    "recursion without a row more": "with recursive r as (select 1 as n union all select n from r)"
    " select count(*) from r",
    "recursion by product": "with recursive r as (select 1 as n union all select a.n % 7 from r a,"
    " marts.orders) select count(*) from r",
    "lateral": "select count(*) from range(100000) a(x), lateral (select count(*) from"
    " range(100000) b(y) where a.x * b.y % 7 = 3)",
    "quantile of many": "select approx_quantile(x, 0.5) from range(100000000000) t(x)",
    "pad": "select rpad('x', 2000000000, 'y')",
    "asof": "select count(*) from range(100000000) a(x) asof join range(100000000) b(x)"
    " on a.x >= b.x",
    "windows": "select max(s) from (select median(x) over (order by x rows between 50000 preceding"
    " and 50000 following) s from range(10000000) t(x))",
    "strings": "select max(md5(x::varchar) || sha256(x::varchar)) from range(10000000000) t(x)",
    "regexes": "select count(*) from range(1000000000) t(x)"
    " where regexp_matches(x::varchar, '^(1|2|3)*(4|5|6)*7$')",
    "pattern": "select count(*) from range(1000000000) t(x)"
    " where ('x' || x::varchar) like '%1%2%3%4%5%6%7%8%9%'",
    "dates": "select count(distinct strftime(date '2020-01-01' + (x % 1000)::int, '%A %B'))"
    " from range(10000000000) t(x)",
    "positional join": "select count(*), max(net), max(range) from marts.orders positional join"
    " range(100000000000)",
    "sample": "select max(x) from range(100000000000) t(x) using sample 10",
    "top": "select x from range(100000000000) t(x) order by hash(x) limit 3",
    "exists": "select count(*) from range(1000000) a(x) where exists (select 1 from"
    " range(1000000) b(y) where b.y * a.x % 1000003 = 17)",
    "columns of dots": "select x" + ".a" * 4000 + " from (select 1 a) x",
}

# More memory than there is, at once or bit by bit.
FAT = {
    "list": "select len(range(2000000000))",
    "list of lists": "select [[[x for x in range(100000)] for y in range(100000)] for z in"
    " range(10)]",
    "list of everything": f"select len(list(x)) from {_MANY} t(x)",
    "ordered list": f"select len(list(x order by x desc)) from {_MANY} t(x)",
    "string of everything": f"select len(string_agg(x::varchar, ',')) from {_MANY} t(x)",
    "map of everything": f"select cardinality(histogram(x)) from {_MANY} t(x)",
    "flattened": "select len(flatten([range(100000000), range(100000000)]))",
    "sorted": "select list_sort(range(100000000))[1]",
    "distinct": "select len(list_distinct(range(100000000)))",
    "transformed": "select len(list_transform(range(100000000), lambda x: x::varchar))",
    "transformed twice": "select len(list_transform(range(100000), lambda x: range(100000)))",
    "unnested": "select count(distinct x) from (select unnest(range(1000000000)) x)",
    "joined into text": "select len(array_to_string(range(100000000), ','))",
    "recursion that doubles": "with recursive r as (select 'x' n union all select n || n from r)"
    " select max(length(n)) from r",
    "recursion over lists": "with recursive r as (select [1] n union all"
    " select list_concat(n, n) from r) select max(len(n)) from r",
    "sorted rows": "select x from range(10000000000) t(x) order by x::varchar desc offset 5",
    "grouped rows": "select count(*) from (select x, count(*) from range(10000000000) t(x)"
    " group by x)",
    "hash join": "select count(*) from range(1000000000) a(x) join range(1000000000) b(x)"
    " using (x)",
    "partitions": "select max(r) from (select row_number() over (partition by x) r from"
    " range(10000000000) t(x))",
    "printf": "select printf('%2000000000d', 1)",
    "format": "select format('{:>2000000000}', 'a')",
    "left pad": "select lpad('x', 2000000000, 'y')",
    "padded per row": "select sum(len(lpad('x', 100000000, channel))) from marts.orders",
    "translate": f"select len(translate({_LONG}, 'a', 'b'))",
    "replace": "select len(replace(lpad('a', 30000000, 'a'), 'a', lpad('b', 10000, 'b')))",
    "split": f"select len(string_split({_LONG}, ''))",
    "concatenated": f"select len(concat({', '.join([_LONG] * 30)}))",
    "format of a date": "select len(strftime(date '2020-01-01', lpad('%Y', 100000000, '%Y')))",
    "normal form": f"select len(nfc_normalize({_LONG}))",
    "map": "select cardinality(map_from_entries(list_zip(range(100000000), range(100000000))))",
    "json": "select json_array_length('[' || lpad('1', 100000000, '1,') || '1]')",
    "cube": "select count(*) from marts.orders group by cube(order_id, customer_id, ordered_on,"
    " gross, discount, net, channel, order_id + 1, order_id + 2, order_id + 3, order_id + 4)",
    "doubling ctes": "with a0 as (select 1 x), "
    + ", ".join(
        f"a{n} as (select * from a{n - 1} union all select * from a{n - 1})" for n in range(1, 34)
    )
    + " select count(*) from a33",
    "a hundred joins": "select count(*) from "
    + ", ".join(f"marts.orders a{n}" for n in range(100)),
    "result": "select lpad('x', 100000000, 'y')",
    "rows of a result": "select lpad('x', 1000000, 'y') from marts.orders",
}

# Large or odd, and done soon.
ODD = {
    "regex that would backtrack": "select regexp_matches(string_agg('a', ''), '(a*)*b')"
    " from range(1000000) t(x)",
    "regex of repetitions": "select regexp_matches('a', '((((a{1,100}){1,100}){1,100}){1,100})')",
    "regex of optionals": "select regexp_matches('" + "a" * 4000 + "', '" + "(a?)" * 500 + "')",
    "regex replaced": "select len(regexp_replace(lpad('a', 1000000, 'a'), '(a|aa)+$', '', 'g'))",
    "broken regex": "select regexp_matches('a', '(((((')",
    "pattern of signs": "select '" + "a" * 8000 + "' like '" + "%a" * 500 + "b'",
    "pattern on a long text": f"select {_LONG} like '%a%a%a%a%a%a%a%b'",
    "bar": "select bar(1, 0, 1, 2000000000)",
    "bins": "select equi_width_bins(0, 1000000000, 1000000000, true)",
    "factorial": "select factorial(1000000)",
    "gamma": "select gamma(1e308), power(10, 1000000), exp(1e300)",
    "division by zero": "select 1 / 0, 1 // 0, 1 % 0, 0.0 / 0",
    "overflow": "select 9223372036854775807 + 1, (-9223372036854775808)::bigint * -1",
    "infinite": "select 'inf'::double, '-inf'::double, 'nan'::double, 1e400",
    "endless dates": "select 'infinity'::date, '-infinity'::timestamp, 'infinity'::timestamptz",
    "far dates": "select date '294246-01-01', timestamp '290000-01-01', date '5000-01-01 (BC)'",
    "far interval": "select interval '1000000 years', interval '2000000000 months'",
    "broken format": "select strftime(now(), '%'), strptime('x', '%Q')",
    "broken json": "select json_extract('" + "[" * 8000 + "', '$')",
    "broken json in megabytes": "select json_extract(lpad('[', 10000000, '['), '$')",
    "deep json": "select '{\"a\":' || lpad('', 1000000, '[') || '}' ->> '$.a'",
    "broken path": "select json_extract('{}', '$." + "a." * 3000 + "')",
    "broken list": "select '" + "[" * 9000 + "'::int[]",
    "broken number": "select '" + "9" * 9000 + "'::int",
    "endless number": "select " + "9" * 9000,
    "long name": 'select 1 as "' + "x" * 9000 + '"',
    "wide pivot": "select * from (select 1 x) pivot (count(*) for x in ("
    + ",".join(map(str, range(1900)))
    + "))",
    "many columns": "select " + ", ".join(f"{n} as x{n}" for n in range(700)),
    "many windows": "select "
    + ", ".join(f"sum(net) over (order by net + {n})" for n in range(100))
    + " from marts.orders",
    "many groups": "select count(*) from marts.orders group by grouping sets ("
    + ", ".join(f"(order_id + {n})" for n in range(200))
    + ")",
    "many unions": "select 1" + " union all select 1" * 400,
    "many rows": "select * from (values " + ", ".join(f"({n})" for n in range(1200)) + ")",
    "many self joins": "select count(*) from marts.orders a0 "
    + " ".join(f"join marts.orders a{n} using (order_id)" for n in range(1, 40)),
    "odd values": "select uuid '00000000-0000-0000-0000-000000000000', '101'::bit, 'a'::blob,"
    " 1::bignum, interval 1 day, time '24:00:00', timetz '10:00:00+05:30', 'x'::enum('x')",
    "odd keys": "select map {[1]: 2}, map {{'a': 1}: 2}, map {timestamptz '2020-01-01': 1}",
    "unnamed columns": "select 1, 1, 1, 'a', 'a'",
    "right to left": "select '\u202eabc\u202c' as \"\u202ex\"",
    "control letters": "select 'a\x01\x02\x1b[31mred\x07'",
    "every letter": "select chr(0), chr(1114111), chr(55296)",
    "aggregate by name": "select list_aggregate([1, 2], 'current_setting')",
    "far substring": "select substr('abc', -9223372036854775807, 9223372036854775807)",
    "far index": "select [1, 2][9223372036854775807], [1, 2][-9223372036854775807:]",
    "backwards range": "select len(range(1, -1000000, 1)), len(range(1, 10, -1))",
    "zero step": "select range(1, 10, 0)",
    "zero interval": "select * from generate_series(date '2020-01-01', date '2021-01-01',"
    " interval 0 day)",
    "ambiguous column": "select order_id from marts.orders a, marts.orders b",
    "wrong arguments": "select lower(), substr(1), round('x', 'y', 'z')",
    "wrong types": "select 'a' + 1, date '2020-01-01' * 2, [1] || 'x'",
    "impossible date": "select date '2023-02-30'",
    "scalar of many rows": "select (select order_id from marts.orders)",
    "fold": "select list_reduce(range(10000), lambda x, y: x + y)",
    "collation": "select 'a' collate nocase.noaccent, 'b' collate nonsense",
    "type of nobody": "select 1::nonsense, 'secret'::regclass",
}

# Nested or long beyond measure: refused by a parser or by its length, or harmless.
DEEP = {
    **{
        f"{depth} {name}": "select " + opening * depth + middle + closing * depth
        for depth in (150, 400)
        for name, opening, middle, closing in (
            ("brackets", "(", "1", ")"),
            ("subqueries", "(select ", "1", ")"),
            ("lists", "[", "1", "]"),
            ("structs", "{'a': ", "1", "}"),
            ("cases", "case when true then ", "1", " end"),
            ("calls", "abs(", "1", ")"),
            ("negations", "not ", "true", ""),
            ("signs", "- ", "1", ""),
            ("casts", "", "1", "::int"),
            ("operators", "", "1", " + 1"),
            ("exists", "exists(select ", "1", ")"),
            ("field accesses", "", "{'a': 1}", ".a"),
            ("indexes", "", "[1]", "[1]"),
        )
    },
    "conditions": "select 1 where " + " and ".join(["true"] * 1100),
    "alternatives": "select 1 where " + " or ".join(f"1 = {n}" for n in range(800)),
    "unions": "select 1" + " union select 1" * 600,
    "exceptions": "select 1" + " except select 1" * 550,
    "products": "select 1 from " + ", ".join(["(select 1)"] * 750),
    "cross joins": "select 1 from (select 1)" + " cross join (select 1)" * 400,
    "natural joins": "select 1 from (select 1)" + " natural join (select 1)" * 350,
    "positional joins": "select 1 from (select 1)" + " positional join (select 1)" * 330,
    "joins in brackets": "select 1 from "
    + "(" * 300
    + "(select 1) a"
    + " cross join (select 2))" * 300,
    "concatenations": "select " + "||".join(["'a'"] * 1500),
    "collations": "select 'a'" + " collate nocase" * 600,
    "comprehensions": "select " + "[x for x in " * 300 + "[1]" + "]" * 300,
    "lambdas": "select " + "list_transform([1], lambda x: " * 250 + "x" + ")" * 250,
    "recursive ctes": "with recursive "
    + ", ".join(
        f"r{n} as (select 1 x union all select x + 1 from r{n} where x < 2)" for n in range(130)
    )
    + " select * from r0",
    "pivots": "select * from (select 1 a) " + "pivot (count(*) for a in (1)) " * 200,
    "memberships": "select 1 in (" * 600 + "1" + ")" * 600,
    "cases side by side": "select case "
    + " ".join(f"when {n} = 1 then {n}" for n in range(420))
    + " end",
    "entries of a map": "select map {" + ", ".join(f"{n}: {n}" for n in range(800)) + "}",
    "sort keys": "select * from marts.orders order by " + ", ".join(["net"] * 1900),
    "stars": "select " + ", ".join(["*"] * 3200) + " from marts.orders",
    "columns": "select " + ", ".join(["columns(*)"] * 800) + " from marts.orders",
    "group keys": "select count(*) from marts.orders group by "
    + ", ".join(f"net + {n}" for n in range(900)),
    "4,000 brackets": "select " + "(" * 4000 + "1" + ")" * 4000,
    "4,000 lists": "select " + "[" * 4000 + "1" + "]" * 4000,
    "9,000 open brackets": "select " + "(" * 9000,
    "400 nested from": "select * from " + "(select * from " * 400 + "(select 1)" + ")" * 400,
    "100 nested from": "select * from " + "(select * from " * 100 + "(select 1) x" + ")" * 100,
    "200 nested ctes": "with x as (" * 200 + "select 1" + ") select * from x" * 200,
    "nested types": "select 1::" + "struct(a " * 400 + "int" + ")" * 400,
    "a thousand dots": "select * from " + "a." * 1000 + "b",
    "10,001 letters": "select '" + "x" * 9992 + "'",
    "a million letters": "select '" + "x" * 1_000_000 + "'",
    "a million spaces": "select 1" + " " * 1_000_000,
}
