-- What every case reads, and one query a case; test_constructs.py asks each of both engines.

-- given.rows
select
    row_number() over ()::bigint as id, n::integer as n, x::double as x, amount::decimal(18, 2) as amount, word,
    day::date as day, moment::timestamptz as moment, listed::json as listed, told::json as told,
    flag::boolean as flag
from (values
    (1, 2.5, 10.25, 'Ärger  Über', '2024-01-31', '2024-01-31 12:00:00.25+00', '["a", "b"]', '{"a": {"b": "x"}}', true),
    (2, -2.5, -3.1, 'straße', '2024-02-29', '2024-03-31 00:59:59.999999+00', '["b", null, "c d"]', '{"a": 1}', false),
    (2, 0.285, 0, '', '2024-12-30', '2024-10-27 01:30:00+00', '[]', '{"c": "naïve"}', null),
    (3, 1.00005, null, 'NH-1 a', '2025-01-01', '2024-06-30 22:00:00+00', null, '{}', true),
    (null, null, 99.99, null, null, null, '["x"]', null, false),
    (-7, 1e15, 0.01, '003A000001abcDEf', '2020-02-29', '1999-12-31 23:00:00+00', '["topic_x"]', '{"c": 2}', null),
    (0, 0.0, 5, '003a000001abcdefiae', '2024-03-10', '2024-03-10 10:00:00+00', '["1", "2"]', '{"c": true}', true)
) as given (n, x, amount, word, day, moment, listed, told, flag);

-- an instant's local day
select id, cast(timezone('Europe/Berlin', moment) as date) as d from given.rows;

-- a local time's instant
select id, timezone('Europe/Berlin', cast(day as timestamp) + to_minutes(90 * n)) as t from given.rows;

-- the end of a local day
select id, timezone('Europe/Berlin', cast(day + cast(1 as integer) as timestamp)) as t from given.rows;

-- hours, minutes, microseconds later
select id, moment + to_hours(24 * n) as a, moment - interval 1 microsecond as b, moment +
to_microseconds(cast(round(x) as bigint)) as c from given.rows;

-- months, years and days later
select id, cast(day + cast(n as bigint) * interval 1 month as date) as a, cast((date_trunc('year', day) +
cast(1 as bigint) * interval 1 year) + cast(-1 as bigint) * interval 1 day as date) as b from given.rows;

-- beginnings of periods
select id, cast(date_trunc('week', day) as date) as w, cast(date_trunc('month', day) as date) as m,
cast(date_trunc('quarter', day) as date) as q from given.rows;

-- parts of a day
select id, extract(year from day) as y, extract(week from day) as w, extract(quarter from day) as q from
given.rows;

-- differences of times
select id, date_diff('second', cast('2024-01-01' as timestamptz), moment) as s, date_diff('day',
cast('2024-01-01' as timestamp), cast(day as timestamp)) as d, epoch_us(moment) // 1000000 as e from
given.rows;

-- a day of its parts
select id, make_date(2024, cast(1 + abs(n) % 12 as bigint), 28) as d from given.rows;

-- division
select id, n / 4 as a, amount / nullif(n, 0) as b, n // 2 as c, n % 3 as d, x / 3.0 as e from given.rows;

-- rounding
select id, round(x, 2) as a, round(x, 4) as b, round(x * n) as c, cast(round(x) as bigint) as d from
given.rows;

-- ceilings, floors, powers
select id, cast(floor(x) as bigint) as a, cast(ceil(x) as bigint) as b, sqrt(abs(x)) as c, power(x, 2) as d
from given.rows;

-- one of several values
select id, greatest(0.0, least(100.0, x)) as a, case when n > 1 then 1.0 else x end as b, coalesce(x, -1.5) as
c, nullif(n, 2) as d from given.rows;

-- keys
select id, coalesce(cast('0x' || left(md5(cast(id as varchar) || chr(31) || word), 15) as bigint), -1) as k
from given.rows;

-- texts
select id, lower(word) as a, upper(replace(word, 'ß', 's')) as b, length(word) as c, strlen(word) as d, left(word, 3) as e,
substr(word, 2) as f, strpos(word, 'r') as g, split_part(word, ' ', 2) as h, concat_ws('-', word, null, 'z')
as i, starts_with(word, '003') as j, replace(word, 'a', 'b') as k, word like '%r%' as l from given.rows;

-- letters without accents
select id, strip_accents(word) as a from given.rows;

-- patterns
select id, regexp_matches(word, '(?:\bSTRA|ü)', 'i') as a, regexp_replace(word, '[\s_]+', ' ', 'g') as b,
regexp_extract(word, '^([0-9]+)', 1) as c from given.rows;

-- bits of letters
select id, case when strlen(word) = length(word) and word = upper(word) then cast(cast(encode(left(word, 3))
as bit) & cast('010000000100000001000000' as bit) as varchar) end as a from given.rows where strlen(word) >= 3
and strlen(word) = length(word);

-- shifts
select id, 1 << abs(n) as a, (abs(n) >> 1) % 2 as b from given.rows;

-- lists of JSON
select id, list_extract(list_filter(try_cast(listed as varchar[]), lambda e: starts_with(e, 'topic')), 1) as
a, list_contains(try_cast(listed as varchar[]), 'a') as b, len(try_cast(listed as json[])) as c,
array_to_string(list_transform(try_cast(listed as varchar[]), lambda e: upper(e)), ',') as d, try_cast(listed
as varchar[]) && ['a', 'x'] as e from given.rows;

-- lists one after the other
select id, list_sort(list_distinct(list_filter([word] || try_cast(listed as varchar[]), lambda e: e is not
null))) as a from given.rows;

-- folded lists
select id, list_sum(list_transform(range(5), lambda p: case when p < n then 1 << p else 0 end)) as a,
list_reduce(list_transform(range(3), lambda p: substr(word, 1 + p, 1)), lambda t, l: t || l) as b from
given.rows;

-- entries of JSON
select id, told ->> '$.a.b' as a, told ->> '$.c' as b, json_extract_string(told, '/' || replace(replace('c',
'~', '~0'), '/', '~1')) as c from given.rows;

-- rows of a list
select id, unnest(range(1, len(try_cast(listed as json[])) + 1)) as place from given.rows;

-- days between
select id, cast(unnest(generate_series(cast('2024-01-30' as timestamp), cast(day as timestamp), interval 1
day)) as date) as d from given.rows where day < '2024-06-01';

-- a series
select rows.id, cast(range as integer) as n from given.rows cross join range(3);

-- collected values
select flag, list_sort(list(n) filter (where n > 0)) as a, list_sort(list(x)) as b from given.rows group by
flag;

-- joined texts
select flag, string_agg(word, ', ' order by id) as a from given.rows group by flag;

-- first and least
select flag, first(word order by n nulls last, id) filter (where n > 0) as a, arg_min(word, id) as b from
given.rows where word is not null group by flag;

-- quantiles
select flag, round(quantile_cont(id, 0.9), 3) as a, round(list_extract(quantile_cont(id, [0.5, 0.9]), 1), 3)
as b from given.rows group by flag;

-- sums of whole units
select cast(sum(cast(9223372036854775807 as bigint)) as decimal(38, 0)) as a from given.rows;

-- bits of a group
select bit_or(abs(n)) as a, bit_count(bit_or(abs(n))) as b, bool_or(flag) as c, bool_and(flag) as d from
given.rows;

-- grouping sets
select case when grouping(flag) = 1 then 'all' else 'own' end as g, flag, n, count(*) as c, sum(n) as s from
given.rows group by grouping sets ((flag), (n), ());

-- group by all
select flag, n, count(*) as c from given.rows group by all;

-- a name in HAVING is a column first
select flag, min(n) as n from given.rows group by flag having count(distinct n) > 1;

-- windows by name
select id, lead(x) over w - x as a, last_value(word ignore nulls) over (w rows between unbounded preceding and
current row) as b, row_number() over w as c from given.rows window w as (order by n, id);

-- places in a window that has a frame
select id, lag(word) over w as a, rank() over w as b, first_value(word) over w as c
from given.rows window w as (partition by flag order by id rows between unbounded preceding and unbounded following);

-- unions by name
select id, word from given.rows union all by name select n, id from given.rows;

-- a replaced column
select * replace (cast(-1 as bigint) as id) from (select id, word from given.rows) as r;

-- the newest before
select rows.id, before.id as b from given.rows asof left join (select id, flag, moment from given.rows where
moment is not null) as before on before.flag = rows.flag and before.moment < rows.moment;

-- IN of a projection
select id, n in (select n from given.rows where flag) as a, n not in (select id from given.rows) as b, word in
(select word from given.rows where id > 99) as c from given.rows;

-- EXISTS of a projection
select r.id, exists (select 1 from given.rows as o where o.n = r.n and (o.id > r.id or r.flag)) as a from
given.rows as r;

-- a value of another row
select r.id, (select o.word from given.rows as o where o.id = r.id + 1) as a from given.rows as r;

-- a CTE that is read twice
with c as (select n, count(*) as rows from given.rows group by n) select one.n, other.rows from c as one inner
join c as other on other.n = one.n;

-- a chain
with recursive chain as (select id, id as first from given.rows where id = 1 union all select rows.id,
chain.first from chain inner join given.rows on rows.id = chain.id + 1) select id, first from chain;

-- a closure
with recursive reach as (select id as a, 1 + id % 7 as b from given.rows union select reach.a, 1 + rows.id % 7
from reach inner join given.rows on rows.id = reach.b) select a, b from reach;

-- components
with recursive edges as (select id as a, id + 2 as b from given.rows where id < 6), both_ways as materialized
(select a, b from edges union all select b, a from edges), found (node, label) using key (node) as (select a,
min(least(a, b)) from both_ways group by a union select reached.a, reached.label from (select both_ways.a,
min(found.label) as label from found inner join both_ways on both_ways.b = found.node group by both_ways.a) as
reached inner join recurring.found as known on known.node = reached.a where reached.label < known.label)
select node, label from found;

-- further comparisons
select id, n between 0 and 2 as a, n <= 2 as b, n <> 2 as c, n is distinct from 2 as d, n is not distinct from null
as e, trim(word) as f, rtrim(word, 'e') as g, translate(word, 'ß', 's') as h from given.rows;

-- ranks and neighbours
select id, rank() over (order by n) as a, dense_rank() over (order by n) as b, lag(x) over (order by id) as c,
first_value(word ignore nulls) over (partition by flag order by id rows between unbounded preceding and unbounded
following) as d, max(n) over (partition by flag) as e from given.rows;

-- ends and parts of lists
select flag, list_max(list_sort(list(n) filter (where n is not null))) as a,
list_min(list_sort(list(n) filter (where n is not null))) as b,
list_slice(list_sort(list(distinct n) filter (where n is not null)), 1, 2) as c from given.rows group by flag;

-- lists of lists
select list_sort(flatten(list(own))) as a from (select list_sort(list(id)) as own from given.rows group by flag) as lists;

-- what may be no number, day or truth
select id, try_cast(word as double) as a, try_cast(word as bigint) as b, try_cast(word as timestamptz) as c,
try_cast(word as boolean) as d, try_cast(cast(n as varchar) as bigint) as e from given.rows;

-- the mean of a list
select id, list_avg(try_cast(listed as double[])) as a from given.rows;

-- a place of a list
select id, (try_cast('[{"t": "x"}, {"t": "y"}]' as json[]))[1] ->> '$.t' as a,
(try_cast('[{"t": "x"}, {"t": "y"}]' as json[]))[n] ->> '$.t' as b from given.rows where n > 0;

-- an entry of a map
select id, map_extract_value(try_cast(try_cast(lower(cast(told as varchar)) as json) as map(varchar, varchar)), 'c')
as a from given.rows;

-- all values of a name
select id, try_cast(json_extract_string('[{"value": "a"}, {"value": "b"}]', '$[*].value') as varchar[]) as a
from given.rows;

-- structs
select id, found.theme as a, found.version as b from (
select id, unnest(list_filter([case when n > 1 then struct_pack(theme := 'many', version := n) end,
cast(null as struct(theme varchar, version integer))], lambda each: each is not null)) as found from given.rows
) as each_found;
