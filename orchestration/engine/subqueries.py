"""Subqueries where Spark or Sail have none.

What lives here: IN and EXISTS outside of conditions that keep rows; a row's own value from another table. Not here:
joins and what is staged (queries.py).
"""

from __future__ import annotations

from sqlglot import exp

from orchestration.engine.errors import NotOnSparkError
from orchestration.engine.trees import Rule, Walk, number, when, with_parts


def contained(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`value in (select ...)`: NULL where it is not found among values of which one is NULL, or is NULL itself."""
    query = node.args.get("query")
    if query is None or _keeps_rows(node):
        with_parts(node, walk)
        return node
    select = query.this if isinstance(query, exp.Subquery) else query
    value = walk(node.this)
    values = (
        value.expressions if isinstance(value, exp.Tuple) else [value.this if isinstance(value, exp.Paren) else value]
    )
    listed = [exp.column(f"_value_{place}", table="_listed") for place in range(len(values))]
    equal = exp.and_(
        *(exp.EQ(this=one.copy(), expression=other.copy()) for one, other in zip(listed, values, strict=True))
    )
    missing = exp.or_(*(exp.Is(this=one.copy(), expression=exp.Null()) for one in listed))
    is_null = exp.or_(*(exp.Is(this=one.copy(), expression=exp.Null()) for one in values))
    if len(values) > 1:
        # Of several columns NULLs may still be told apart by the others: nothing here asks that.
        missing = is_null = exp.false()
    if node.find_ancestor(exp.Window, exp.AggFunc):
        raise NotOnSparkError("IN (select ...) within a window or an aggregate")
    return when(
        (_is_any(select, equal, walk), exp.true()),
        (exp.And(this=exp.Paren(this=is_null), expression=_is_any(select, None, walk)), exp.null()),
        (_is_any(select, missing, walk), exp.null()),
        otherwise=exp.false(),
    )


def _is_any(select: exp.Expr, condition: exp.Expr | None, walk: Walk) -> exp.Expr:
    """Whether the query has a row, or one of which this holds; its columns are called by names that no row has."""
    inner = select.copy()
    inner.set(
        "expressions", [exp.alias_(each.unalias(), f"_value_{place}") for place, each in enumerate(inner.expressions)]
    )
    counted = exp.Select(
        expressions=[exp.Count(this=exp.Star())],
        from_=exp.From(this=exp.Subquery(this=walk(inner), alias=exp.TableAlias(this=exp.to_identifier("_listed")))),
    )
    if condition is not None:
        counted.set("where", exp.Where(this=condition.copy()))
    return exp.GT(this=exp.Subquery(this=counted), expression=number(0))


def exists_as_joins(select: exp.Select) -> None:
    """EXISTS in a projection as a join with the values for which it holds: it is asked of rows to be kept only."""
    asked = [
        node
        for value in select.expressions
        for node in value.find_all(exp.Exists)
        if node.find_ancestor(exp.Select) is select
    ]
    for node in asked:
        name = f"_holds_{len(select.args.get('joins') or [])}"
        inside = {table.alias_or_name for table in node.find_all(exp.Table, exp.Subquery)}
        own = {column.sql(): column for column in node.find_all(exp.Column) if column.table not in inside}
        if any(not column.table for column in own.values()):
            raise NotOnSparkError("EXISTS in a projection with a column that does not say of which table")
        columns = {f"_asked_{place}": column.copy() for place, column in enumerate(own.values())}
        kept = select.args.get("where")
        condition = exp.and_(exp.Paren(this=kept.this.copy()), node.copy()) if kept else node.copy()
        rows = exp.Select(
            expressions=[exp.alias_(column.copy(), alias) for alias, column in columns.items()],
            from_=select.args["from_"].copy(),
            joins=[join.copy() for join in select.args.get("joins") or []],
            where=exp.Where(this=condition),
            distinct=exp.Distinct(),
        )
        same = [
            exp.NullSafeEQ(this=exp.column(alias, table=name), expression=column) for alias, column in columns.items()
        ]
        flagged = exp.Select(
            expressions=[exp.Star(), exp.alias_(exp.true(), "_holds")],
            from_=exp.From(this=exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier("_rows")))),
        )
        joined = exp.Subquery(this=flagged, alias=exp.TableAlias(this=exp.to_identifier(name)))
        select.append("joins", exp.Join(this=joined, side="LEFT", on=exp.and_(*same)))
        node.replace(exp.Coalesce(this=exp.column("_holds", table=name), expressions=[exp.false()]))


def existing(node: exp.Expr, walk: Walk) -> exp.Expr:
    """`exists (select ...)`, which only keeps rows by now."""
    with_parts(node, walk)
    return node


def _keeps_rows(node: exp.Expr) -> bool:
    """Whether it stands in a WHERE or HAVING, by itself or among ANDs, ORs and NOTs."""
    parent = node.parent
    while isinstance(parent, exp.And | exp.Or | exp.Not | exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Where | exp.Having)


def scalar(node: exp.Expr, walk: Walk) -> exp.Expr:
    """A value from another table: of the at most one row that belongs to this one, which Spark wants aggregated."""
    select = node.this
    stands_alone = not isinstance(node.parent, exp.From | exp.Join | exp.In)
    if stands_alone and isinstance(select, exp.Select) and select.args.get("where") and len(select.expressions) == 1:
        (value,) = select.expressions
        if not value.find(exp.AggFunc):
            select.set("expressions", [exp.Max(this=value.unalias())])
    with_parts(node, walk)
    return node


RULES: dict[type[exp.Expr], Rule] = {exp.In: contained, exp.Exists: existing, exp.Subquery: scalar}
