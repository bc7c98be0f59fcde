"""Lists, JSON and strings of bits on Spark.

What lives here: making, reading and folding lists; JSON, which is text there. Not here: other expressions
(expressions.py).
"""

from __future__ import annotations

from sqlglot import exp

from orchestration.engine.errors import NotOnSparkError
from orchestration.engine.trees import Rule, Walk, call, function, number, paren, text, typed, when

_PARSED = {"JSON[]": "array<string>", "TEXT[]": "array<string>"}


def collected(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list(x)`: with its NULLs, and NULL where there are no rows."""
    return _collected(node, None, walk)


def filtered(node: exp.Expr, walk: Walk) -> exp.Expr:
    """An aggregate of the rows a condition keeps."""
    condition = node.expression.this
    if isinstance(node.this, exp.ArrayAgg):
        return _collected(node.this, condition, walk)
    return exp.Filter(this=walk(node.this), expression=exp.Where(this=walk(condition)))


def _collected(node: exp.Expr, condition: exp.Expr | None, walk: Walk) -> exp.Expr:
    value, order = node.this, None
    if isinstance(value, exp.Order):
        value, order = value.this, value.expressions
    if isinstance(value, exp.Distinct):
        (value,) = value.expressions
        return _of_rows(call("collect_set", walk(value)), condition, walk)
    # A struct, for Spark leaves NULLs out; its first fields are what the list is in order by.
    keys = [walk(_ascending(key)) for key in order or []]
    fields = [part for place, key in enumerate(keys) for part in (text(f"k{place}"), key)]
    kept = call("collect_list", call("named_struct", *fields, text("v"), walk(value)))
    whole = call("sort_array", _where(kept, condition, walk)) if keys else _where(kept, condition, walk)
    values = call("transform", whole, function("e", exp.Dot(this=exp.column("e"), expression=exp.to_identifier("v"))))
    return _of_rows(values, condition, walk, filtered=True)


def _ascending(key: exp.Expr) -> exp.Expr:
    if isinstance(key, exp.Ordered):
        value: exp.Expr = key.this
        return exp.Neg(this=paren(value)) if key.args.get("desc") else value
    return key


def _where(aggregate: exp.Expr, condition: exp.Expr | None, walk: Walk) -> exp.Expr:
    if condition is None:
        return aggregate
    return exp.Filter(this=aggregate, expression=exp.Where(this=walk(condition.copy())))


def _of_rows(values: exp.Expr, condition: exp.Expr | None, walk: Walk, *, filtered: bool = False) -> exp.Expr:
    rows = _where(exp.Count(this=exp.Star()), condition, walk)
    whole = values if filtered else _where(values, condition, walk)
    return when((exp.GT(this=rows, expression=number(0)), whole))


def flattened(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`flatten(list(lists))`: NULLs among the lists are left out on both."""
    inner = node.this
    if not isinstance(inner, exp.ArrayAgg):
        raise NotOnSparkError("flatten of what is not list(...)")
    return _of_rows(call("flatten", call("collect_list", walk(inner.this))), None, walk)


def sorted_list(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list_sort(list)`: ascending, NULLs last."""
    return call("array_sort", walk(node.this))


def element(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list_extract(list, place)`: NULL outside."""
    values, place = node.expressions
    return call("get", walk(values), exp.Sub(this=typed(walk(place), "INT"), expression=number(1)))


def bracket(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list[place]`, where sqlglot counts a literal from 0 and anything else as it was written."""
    (place,) = node.expressions
    counted = place if isinstance(place, exp.Literal) else exp.Sub(this=typed(walk(place), "INT"), expression=number(1))
    return call("get", walk(node.this), counted)


def total(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list_sum` of whole numbers."""
    add = function("x, y", exp.Add(this=exp.column("x"), expression=typed(exp.column("y"), "BIGINT")))
    (values,) = node.expressions
    return call("aggregate", walk(values), typed(number(0), "BIGINT"), add)


def mean(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list_avg` of doubles, added from the first to the last."""
    (values,) = node.expressions
    add = function("x, y", exp.Add(this=exp.column("x"), expression=exp.column("y")))
    found = walk(values)
    added = call("aggregate", found, typed(number(0), "DOUBLE"), add)
    count = call("nullif", call("size", found.copy()), number(0))
    return exp.Paren(this=exp.Div(this=added, expression=typed(count, "DOUBLE"), typed=False, safe=False))


def reduced(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list_reduce(list, lambda)`: from the first to the last, NULL where one is NULL."""
    values, step = (walk(each) for each in node.expressions)
    rest = call(
        "slice",
        values,
        number(2),
        call("greatest", exp.Sub(this=call("size", values.copy()), expression=number(1)), number(0)),
    )
    return call("aggregate", rest, call("get", values.copy(), number(0)), step)


def part_of_list(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list_slice(list, 1, n)`."""
    values, first, last = node.expressions
    if first.sql() != "1":
        raise NotOnSparkError("list_slice that does not begin with 1")
    return call("slice", walk(values), number(1), walk(last))


def overlap(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list_has_any`, to which a NULL among the values is no value."""
    return call("arrays_overlap", *(call("array_compact", walk(side)) for side in (node.this, node.expression)))


def contains(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`list_contains`, to which a NULL among the values is no value."""
    return call("array_contains", call("array_compact", walk(node.this)), walk(node.expression))


def series(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`range(n)`, `range(a, b)` and `generate_series(a, b, step)`: empty where the end lies before the beginning."""
    first, last, step = node.args["start"], node.args.get("end"), node.args.get("step")
    if last is None:
        first, last = number(0), first
    first, last = walk(first), walk(last)
    if node.args.get("is_end_exclusive"):
        last = exp.Sub(this=paren(last), expression=number(1))
    bounds = [first, last, *([step] if step else [])]
    return when(
        (exp.LTE(this=paren(first.copy()), expression=paren(last.copy())), call("sequence", *bounds)),
        otherwise=call("array"),
    )


def joined(node: exp.Expr, walk: Walk) -> exp.Expr:
    """Two texts one after the other, or two lists."""
    if isinstance(node.this, exp.Array) or isinstance(node.expression, exp.Array):
        return call("concat", walk(node.this), walk(node.expression))
    node.set("this", walk(node.this))
    node.set("expression", walk(node.expression))
    return node


def parsed(value: exp.Expr, kind: exp.DataType, walk: Walk) -> exp.Expr | None:
    """`try_cast(json as json[])` and the like; None where the type is none that JSON is parsed to."""
    name = kind.sql("duckdb")
    if name == "TEXT[]" and isinstance(value, exp.JSONExtractScalar):
        return walk(value)  # All values of a name: a list already.
    if name == "DOUBLE[]":
        return _numbers(call("from_json", walk(value), text("array<string>")))
    if name in _PARSED:
        return call("from_json", walk(value), text(_PARSED[name]))
    if name == "MAP(TEXT, TEXT)" and isinstance(value, exp.TryCast) and value.to.this == exp.DataType.Type.JSON:
        return call("from_json", walk(value.this), text("map<string,string>"))
    return None


def _numbers(spelled: exp.Expr) -> exp.Expr:
    """Numbers that may be spelled as texts; nothing at all where one of them is no number."""
    read = exp.TryCast(this=exp.column("e"), to=exp.DataType.build("DOUBLE"), safe=True)
    is_none = exp.And(
        this=exp.Not(this=exp.Is(this=exp.column("e"), expression=exp.Null())),
        expression=exp.Is(this=read, expression=exp.Null()),
    )
    wrong = call("size", call("filter", spelled, function("e", is_none)))
    numbers = call("transform", spelled.copy(), function("e", read.copy()))
    return when((exp.EQ(this=wrong, expression=number(0)), numbers))


def json_entry(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`json ->> path`: by a path of names, by a pointer, or all values of a name in a list of objects."""
    path = node.expression
    if not isinstance(path, exp.JSONPath):
        name = _named_by_pointer(path.unnest())
        return call("try_element_at", call("from_json", walk(node.this), text("map<string,string>")), walk(name))
    steps = path.expressions[1:]
    if all(isinstance(step, exp.JSONPathKey) for step in steps):
        return call("get_json_object", walk(node.this), text("$." + ".".join(step.name for step in steps)))
    first, *rest = steps
    if isinstance(first, exp.JSONPathSubscript) and [type(step) for step in rest] == [exp.JSONPathKey]:
        entry = call("try_element_at", exp.column("e"), text(rest[0].name))
        return call(
            "transform", call("from_json", walk(node.this), text("array<map<string,string>>")), function("e", entry)
        )
    raise NotOnSparkError(f"the path {path.sql('duckdb')} into JSON")


def _named_by_pointer(pointer: exp.Expr) -> exp.Expr:
    """The name in `'/' || replace(replace(name, '~', '~0'), '/', '~1')`."""
    if (
        isinstance(pointer, exp.DPipe)
        and pointer.this.sql() == "'/'"
        and isinstance(pointer.expression, exp.Replace)
        and isinstance(pointer.expression.this, exp.Replace)
    ):
        name: exp.Expr = pointer.expression.this.this
        return name
    raise NotOnSparkError(f"the pointer {pointer.sql('duckdb')} into JSON")


def masked_bits(value: exp.Expr, mask: exp.Expr, walk: Walk) -> exp.Expr:
    """`cast(cast(encode(text) as bit) & cast(mask as bit) as varchar)`: the bits a mask keeps of a text's bytes."""
    letters = walk(value)
    codes = call("conv", call("hex", call("substring", letters, exp.column("place"), number(1))), number(16), number(2))
    bits = call("lpad", codes, number(8), text("0"))
    places = call("sequence", number(1), call("greatest", call("length", letters.copy()), number(1)))
    whole = call("array_join", call("transform", places, function("place", bits)), text(""))
    kept = when(
        (
            exp.EQ(this=call("substring", mask.copy(), exp.column("bit"), number(1)), expression=text("1")),
            call("substring", whole, exp.column("bit"), number(1)),
        ),
        otherwise=text("0"),
    )
    every = call("sequence", number(1), call("length", mask.copy()))
    return call("array_join", call("transform", every, function("bit", kept)), text(""))


RULES: dict[type[exp.Expr], Rule] = {
    exp.ArrayAgg: collected,
    exp.Filter: filtered,
    exp.Flatten: flattened,
    exp.ArraySort: sorted_list,
    exp.Bracket: bracket,
    exp.ArrayOverlaps: overlap,
    exp.ArrayContains: contains,
    exp.GenerateSeries: series,
    exp.DPipe: joined,
    exp.JSONExtractScalar: json_entry,
}
FUNCTIONS: dict[str, Rule] = {
    "list_extract": element,
    "list_sum": total,
    "list_avg": mean,
    "list_reduce": reduced,
    "list_slice": part_of_list,
}
