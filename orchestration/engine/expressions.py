"""Expressions of DuckDB as expressions of Spark with the same values.

What lives here: the walk through a tree, and the rules for texts, numbers and aggregates. Not here: times (times.py),
lists and JSON (lists.py), joins and what is staged (queries.py), which constructs may be used at all (constructs.py).
"""

from __future__ import annotations

from functools import cache

import duckdb
from sqlglot import exp

from orchestration.engine import lists, subqueries, times
from orchestration.engine.errors import NotOnSparkError
from orchestration.engine.trees import Rule, Walk, call, function, number, text, typed, when, with_parts

_TIMES = {exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ, exp.DataType.Type.TIMESTAMPTZ}
_LAST_LETTER = 0x110000
_NO_ESTIMATES = "text_sentiment is estimated on DuckDB only: take it out of company.yml to run on Spark"


def translate(node: exp.Expr) -> exp.Expr:
    """The same tree in Spark's words; the one given is used up.

    Raises:
        NotOnSparkError: It holds what has no known meaning there.
    """
    rule = _FUNCTIONS.get(node.name.lower()) if isinstance(node, exp.Anonymous) else _RULES.get(type(node))
    if rule:
        return rule(node, translate)
    return with_parts(node, translate)


def _cast(node: exp.Expr, walk: Walk) -> exp.Expr:
    value, kind = node.this, node.args["to"]
    found = _special_cast(node, value, kind, walk)
    if found is not None:
        return found
    if isinstance(value, exp.Explode):
        # Spark makes rows of a list by itself only: what becomes of each comes before.
        cast = type(node)(this=exp.column("e"), to=kind.copy(), safe=node.args.get("safe"))
        return translate(exp.Explode(this=call("transform", value.this, function("e", cast))))
    if kind.this in _TIMES:
        node.set("to", exp.DataType.build("TIMESTAMPTZ", dialect="duckdb"))
    node.set("this", walk(value))
    return node


def _special_cast(node: exp.Expr, value: exp.Expr, kind: exp.DataType, walk: Walk) -> exp.Expr | None:
    """What is said by a cast on DuckDB and by a function on Spark."""
    found = lists.parsed(value, kind, walk) if isinstance(node, exp.TryCast) else None
    if found is None:
        found = _masked_bits(value, kind, walk)
    if found is None and kind.this == exp.DataType.Type.BIGINT and _is_hexadecimal(value):
        digits = value.expression
        first = call("substring", walk(digits.this), number(1), digits.expression)
        found = typed(call("conv", first, number(16), number(10)), "BIGINT")
    if found is None and kind.sql("duckdb") == "DECIMAL(38, 0)" and isinstance(value, exp.Sum):
        # A sum of BIGINT is a HUGEINT on DuckDB, and overflows on Spark, on Sail without a word.
        found = exp.Cast(this=exp.Sum(this=typed(walk(value.this), "DECIMAL(38, 0)")), to=kind)
    if found is None and kind.this == exp.DataType.Type.JSON:
        if isinstance(node, exp.TryCast):
            raise NotOnSparkError("a try_cast to JSON that nothing reads a list or a map from")
        found = walk(value)
    return found


def _is_hexadecimal(value: exp.Expr) -> bool:
    """`'0x' || left(digits, n)`, which is cast to the number that the digits are."""
    return isinstance(value, exp.DPipe) and value.this.sql() == "'0x'" and isinstance(value.expression, exp.Left)


def _masked_bits(value: exp.Expr, kind: exp.DataType, walk: Walk) -> exp.Expr | None:
    if not isinstance(value, exp.BitwiseAnd) or kind.this not in exp.DataType.TEXT_TYPES:
        return None
    one, mask = value.this, value.expression
    if isinstance(one, exp.Cast) and isinstance(one.this, exp.Encode) and isinstance(mask, exp.Cast):
        return lists.masked_bits(one.this.this, mask.this, walk)
    return None


def _quotient(node: exp.Expr, walk: Walk) -> exp.Expr:
    """DuckDB divides in double, whatever the types. By 0 it says infinite, where here there is nothing."""
    above, below = typed(walk(node.this), "DOUBLE"), typed(walk(node.expression), "DOUBLE")
    if isinstance(below.this, exp.Literal) and float(below.this.this):
        return exp.Paren(this=exp.Div(this=above, expression=below, typed=False, safe=False))
    # By 1 where there is nothing to divide by: Sail looks at what it divides by in rows of no account, too.
    is_something = exp.NEQ(this=below, expression=number(0))
    other = when((is_something.copy(), below.copy()), otherwise=number(1))
    return when((is_something, exp.Div(this=above, expression=other, typed=False, safe=False)))


def _rounded(node: exp.Expr, walk: Walk) -> exp.Expr:
    """To so many places in binary, half away from 0, as DuckDB does; Spark's own way is by the decimal spelling."""
    value, places = walk(node.this), node.args.get("decimals")
    if places is None:
        return call("round", value)
    power = typed(exp.Literal.number("1" + "0" * int(places.this)), "DOUBLE")
    scaled = exp.Mul(this=typed(value, "DOUBLE"), expression=power)
    return exp.Paren(this=exp.Div(this=call("round", scaled), expression=power.copy(), typed=False, safe=False))


def _beginning(node: exp.Expr, walk: Walk) -> exp.Expr:
    return call("substring", walk(node.this), number(1), walk(node.expression))


def _matches(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`regexp_matches(text, pattern, 'i')`: whether the pattern is found somewhere."""
    flag, pattern = node.args.get("flag"), walk(node.expression)
    if flag is not None and flag.this != "i":
        raise NotOnSparkError(f"a regular expression with the flags {flag.this}")
    if flag is not None:
        if not isinstance(pattern, exp.Literal):
            raise NotOnSparkError("a regular expression with a flag that is no literal")
        pattern = text("(?iu)" + pattern.this)
    return exp.RegexpLike(this=walk(node.this), expression=pattern)


def _replaced(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`regexp_replace(text, pattern, other, 'g')`: every match, which is Spark's only way."""
    flags = node.args.get("modifiers")
    if flags is None or flags.this != "g":
        raise NotOnSparkError("regexp_replace of the first match only")
    return call("regexp_replace", walk(node.this), walk(node.expression), walk(node.args["replacement"]))


def _plain_letters(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`strip_accents(text)`, letter by letter."""
    letters, plain = _accents()
    return call("translate", walk(node.expressions[0]), text(letters), text(plain))


@cache
def _accents() -> tuple[str, str]:
    """Every letter that DuckDB takes an accent off, and the letter that is left; last those of which nothing is."""
    found = duckdb.execute(
        f"""
        select string_agg(letter, '' order by plain = '', code), string_agg(plain, '' order by plain = '', code)
        from (
            select range as code, chr(range::integer) as letter, strip_accents(chr(range::integer)) as plain
            from (select unnest(range(128, 55296)) as range union all select unnest(range(57344, {_LAST_LETTER})))
        )
        where letter <> plain and length(plain) <= 1
        """
    ).fetchall()
    ((letters, plain),) = found
    return letters, plain


def _quantiles(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`quantile_cont`: between the two values beside the place, by where it lies between them."""
    values = call("array_sort", call("collect_list", typed(walk(node.this), "DOUBLE")))
    if isinstance(node.expression, exp.Array):
        return call("array", *(_quantile(values, place) for place in node.expression.expressions))
    return _quantile(values, node.expression)


def _quantile(values: exp.Expr, share: exp.Expr) -> exp.Expr:
    last = exp.Paren(this=exp.Sub(this=call("size", values.copy()), expression=number(1)))
    place = exp.Mul(this=typed(last, "DOUBLE"), expression=typed(share.copy(), "DOUBLE"))
    below, above = (call("get", values.copy(), typed(call(end, place.copy()), "INT")) for end in ("floor", "ceil"))
    beyond = exp.Paren(this=exp.Sub(this=place, expression=call("floor", place.copy())))
    step = exp.Paren(this=exp.Sub(this=above, expression=below.copy()))
    return exp.Paren(this=exp.Add(this=below, expression=exp.Mul(this=step, expression=beyond)))


def _first(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`first(x order by a, b)`, NULLs last."""
    if not isinstance(node.this, exp.Order):
        raise NotOnSparkError("first() without an order")
    fields: list[exp.Expr] = []
    for place, key in enumerate(node.this.expressions):
        if key.args.get("desc"):
            raise NotOnSparkError("first() in a descending order")
        value = walk(key.this)
        fields += [text(f"n{place}"), exp.Is(this=value, expression=exp.Null()), text(f"k{place}"), value.copy()]
    return call("min_by", walk(node.this.this), call("named_struct", *fields))


def _struct(node: exp.Expr, walk: Walk) -> exp.Expr:
    fields = [part for each in node.expressions for part in (text(each.this.name), walk(each.expression))]
    return call("named_struct", *fields)


def _polarity(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`text_polarity(text)`: nothing of no text. There is one where a company asks for estimates; of that it fails."""
    value = walk(node.expressions[0])
    is_text = exp.Not(this=exp.Is(this=exp.Paren(this=value), expression=exp.Null()))
    return when((is_text, typed(call("raise_error", text(_NO_ESTIMATES)), "DOUBLE")))


def _exploded(node: exp.Expr, walk: Walk) -> exp.Expr:
    return call("explode", walk(node.this))


def _window(node: exp.Expr, walk: Walk) -> exp.Expr:
    """In parentheses where something follows, or `over w - x` is read as a window called `w - x`."""
    parent = node.parent
    with_parts(node, translate)
    return exp.Paren(this=node) if isinstance(parent, exp.Binary | exp.Is | exp.Between | exp.In) else node


def _renamed(name: str) -> Rule:
    def rule(node: exp.Expr, walk: Walk) -> exp.Expr:
        return call(name, *(walk(value) for value in node.expressions))

    return rule


def _length(node: exp.Expr, walk: Walk) -> exp.Expr:
    """Of a text in characters, of a list in elements."""
    lists_of = (exp.DataType.Type.ARRAY, exp.DataType.Type.LIST)
    is_list = isinstance(node.this, exp.TryCast) and node.this.to.is_type(*lists_of)
    return call("size" if is_list else "length", walk(node.this))


def _own(name: str) -> Rule:
    """A function of one value that sqlglot has a class for."""

    def rule(node: exp.Expr, walk: Walk) -> exp.Expr:
        return call(name, walk(node.this))

    return rule


def _choice(node: exp.Expr, walk: Walk) -> exp.Expr:
    """One of several values: 1.0 is a double among doubles, where Sail would make all of them decimals."""
    for literal in _chosen(node):
        bare = literal.this if isinstance(literal, exp.Neg) else literal
        if isinstance(bare, exp.Literal) and not bare.is_string and "." in bare.this:
            literal.replace(typed(literal.copy(), "DOUBLE"))
    return with_parts(node, translate)


def _chosen(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Case):
        values = [branch.args["true"] for branch in node.args["ifs"]]
        return values + ([node.args["default"]] if node.args.get("default") else [])
    return [node.this, *node.expressions]


def _table(node: exp.Expr, walk: Walk) -> exp.Expr:
    with_parts(node, translate)
    if node.args.get("db"):
        if not node.args.get("alias"):
            node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name)))
        node.set("this", exp.to_identifier(view_name(node)))
        node.set("db", None)
        node.set("catalog", None)
    return node


def view_name(table: exp.Expr) -> str:
    """What a table of a schema is called on Spark."""
    return f"{table.args['db'].name}__{table.name}"


_RULES: dict[type[exp.Expr], Rule] = {
    **times.RULES,
    **lists.RULES,
    **subqueries.RULES,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Div: _quotient,
    exp.Round: _rounded,
    exp.Left: _beginning,
    exp.Length: _length,
    exp.RegexpLike: _matches,
    exp.RegexpReplace: _replaced,
    exp.PercentileCont: _quantiles,
    exp.First: _first,
    exp.Struct: _struct,
    exp.Explode: _exploded,
    exp.Window: _window,
    exp.Table: _table,
    exp.Case: _choice,
    exp.Coalesce: _choice,
    exp.Greatest: _choice,
    exp.Least: _choice,
    exp.BitwiseOrAgg: _own("bit_or"),
    exp.LogicalOr: _own("bool_or"),
    exp.LogicalAnd: _own("bool_and"),
}
_FUNCTIONS: dict[str, Rule] = {
    **times.FUNCTIONS,
    **lists.FUNCTIONS,
    "strlen": _renamed("octet_length"),
    "strip_accents": _plain_letters,
    "text_polarity": _polarity,
    "map_extract_value": _renamed("try_element_at"),
}
