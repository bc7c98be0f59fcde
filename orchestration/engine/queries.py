"""A model's query as statements: what is read more than once, or asked again and again, is a table of its own.

What lives here: staging, recursion, ASOF joins. Not here: expressions (expressions.py), columns' names (names.py).

Spark writes a CTE out wherever it is read, so that chains of them cost exponentially; DuckDB does not.
"""

from __future__ import annotations

from sqlglot import exp

from orchestration.engine.errors import NotOnSparkError
from orchestration.engine.expressions import translate
from orchestration.engine.names import Columns, spelled_out
from orchestration.engine.plan import Statement
from orchestration.engine.subqueries import exists_as_joins
from orchestration.engine.trees import paren

_HEAVY = (exp.Join, exp.Window, exp.Group, exp.Union, exp.Distinct, exp.AggFunc)
# They look at all rows of their window whatever its frame, which Apache Spark wants not to be said.
_FRAMELESS = (exp.Lag, exp.Lead, exp.RowNumber, exp.Rank, exp.DenseRank)
_KNOWN = "recurring"
# What joins more tables is a table of its own, however often it is read: planners take their time with many joins.
_MOST_JOINS = 5


def statements(tree: exp.Expr, target: str, known: Columns) -> tuple[list[Statement], tuple[str, ...]]:
    """A query as statements that end with the table `target`, and the names of its columns.

    Args:
        tree: The query, in DuckDB's words; it is used up.
        target: What its table is called on Spark.
        known: Columns of the tables it reads, by `schema.table`.

    Raises:
        NotOnSparkError: It uses what has no known meaning there.
    """
    with_ = tree.args.get("with_")
    ctes = _every_cte(with_)
    tree.set("with_", None)
    work = _Work(target, dict(known))
    bodies = [cte.this for cte in ctes] + [tree]
    for cte in ctes:
        reads = sum(_reads(body, cte.alias) for body in bodies if body is not cte.this)
        work.take(cte, reads)
    query, names = spelled_out(tree, work.columns)
    return [*work.done, Statement(target, work.sql(query))], names


def _every_cte(with_: exp.Expr | None) -> list[exp.CTE]:
    """The CTEs of a query, after those that they have of their own."""
    found: list[exp.CTE] = []
    for cte in with_.expressions if with_ else []:
        found += [*_every_cte(cte.this.args.get("with_")), cte]
        cte.this.set("with_", None)
    names = [cte.alias for cte in found]
    if len(names) != len(set(names)):
        raise NotOnSparkError("two CTEs of one name")
    return found


def _reads(body: exp.Expr, name: str) -> int:
    return sum(1 for table in body.find_all(exp.Table) if not table.args.get("db") and table.name == name)


class _Work:
    """What has become of the CTEs so far."""

    def __init__(self, target: str, columns: dict[str, tuple[str, ...]]) -> None:
        self.target = target
        self.columns = columns
        self.done: list[Statement] = []
        self.staged: dict[str, str] = {}
        self.inlined: dict[str, exp.Expr] = {}
        self.heavy: set[str] = set()

    def take(self, cte: exp.CTE, reads: int) -> None:
        """Take the next CTE: as a table, a loop, or a part of what reads it."""
        name, body = cte.alias, cte.this
        if _reads(body, name):
            self._loop(cte)
            return
        body, names = spelled_out(body, self.columns)
        renamed = tuple(column.name for column in cte.args["alias"].columns)
        if renamed:
            body, names = _renamed(body, names, renamed), renamed
        self.columns[name] = names
        joins = sum(1 for _ in body.find_all(exp.Join))
        if cte.args.get("materialized") or joins > _MOST_JOINS or (reads > 1 and self._is_heavy(body)):
            self.staged[name] = f"{self.target}__{name}"
            self.done.append(Statement(self.staged[name], self.sql(body)))
            return
        if self._is_heavy(body):
            self.heavy.add(name)
        self.inlined[name] = body

    def _is_heavy(self, body: exp.Expr) -> bool:
        return body.find(*_HEAVY) is not None or any(_reads(body, name) for name in self.heavy)

    def _loop(self, cte: exp.CTE) -> None:
        """A recursive CTE: rows to begin with, and a query that finds more from those found last."""
        name, union = cte.alias, cte.this
        if not isinstance(union, exp.Union):
            raise NotOnSparkError("a recursive CTE that is no UNION")
        start, names = spelled_out(union.this, self.columns)
        renamed = tuple(column.name for column in cte.args["alias"].columns) or names
        start = _renamed(start, names, renamed)
        table = f"{self.target}__{name}"
        self.columns |= {name: renamed, f"{_KNOWN}.{name}": renamed}
        step, step_names = spelled_out(union.expression, self.columns)
        for read in list(step.find_all(exp.Table)):
            if read.name == name and (not read.args.get("db") or read.args["db"].name == _KNOWN):
                which = "known" if read.args.get("db") else "newest"
                _point(read, f"{table}__{which}")
        step = _renamed(step, step_names, renamed)
        key = tuple(column.name for column in cte.args.get("key_expressions") or [])
        keeps_all = not union.args.get("distinct")
        self.done.append(Statement(table, self.sql(start), self.sql(step), key, keeps_all))
        self.staged[name] = table

    def sql(self, query: exp.Expr) -> str:
        """A query in Spark's words, with the CTEs it reads that are no tables."""
        query = query.copy()
        needed = self._needed(query)
        ctes = [
            exp.CTE(this=self.inlined[name].copy(), alias=exp.TableAlias(this=exp.to_identifier(name)))
            for name in needed
        ]
        if ctes:
            query.set("with_", exp.With(expressions=ctes))
        for table in list(query.find_all(exp.Table)):
            if not table.args.get("db") and table.name in self.staged:
                _point(table, self.staged[table.name])
        for select in list(query.find_all(exp.Select)):
            exists_as_joins(select)
            _write_out_windows(select)
            _write_out_groups(select)
        for table in list(query.find_all(exp.Table)):
            if isinstance(table.this, exp.GenerateSeries):
                table.replace(_series(table))
        for join in list(query.find_all(exp.Join)):
            if join.args.get("method"):
                self._nearest(join)
        return translate(query).sql(dialect="spark")

    def _needed(self, query: exp.Expr) -> list[str]:
        needed: set[str] = set()
        waiting = [query]
        while waiting:
            body = waiting.pop()
            new = {name for name in self.inlined if name not in needed and _reads(body, name)}
            needed |= new
            waiting += [self.inlined[name] for name in new]
        return [name for name in self.inlined if name in needed]

    def _nearest(self, join: exp.Join) -> None:
        """`asof left join`: each row's neighbour is that whose successor lies beyond."""
        if join.args["method"] != "ASOF" or join.side != "LEFT":
            raise NotOnSparkError(f"a {join.args['method']} join that is no ASOF LEFT JOIN")
        name = join.this.alias_or_name
        parts = list(join.args["on"].flatten()) if isinstance(join.args["on"], exp.And) else [join.args["on"]]
        equal = [part for part in parts if isinstance(part, exp.EQ)]
        bounds = [part for part in parts if isinstance(part, exp.LTE | exp.LT)]
        if len(bounds) != 1 or len(equal) + 1 != len(parts) or bounds[0].this.table != name:
            raise NotOnSparkError(
                "an ASOF join that is not by equal columns and one bound, as in `joined.day <= rows.day`"
            )
        (bound,) = bounds
        own = [part.this if part.this.table == name else part.expression for part in equal]
        read = join.this.copy()
        read.set("alias", exp.TableAlias(this=exp.to_identifier("_all")))
        after = exp.Window(
            this=exp.Lead(this=exp.column(bound.this.name)),
            partition_by=[exp.column(column.name) for column in own],
            order=exp.Order(expressions=[exp.Ordered(this=exp.column(bound.this.name))]),
        )
        rows = exp.Select(expressions=[exp.Star(), exp.alias_(after, "_after")], from_=exp.From(this=read))
        beyond = exp.LT if isinstance(bound, exp.LTE) else exp.LTE
        until = exp.column("_after", table=name)
        open_ended = exp.Or(
            this=exp.Is(this=until, expression=exp.Null()),
            expression=beyond(this=paren(bound.expression.copy()), expression=until.copy()),
        )
        join.set("this", exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier(name))))
        join.set("on", exp.and_(*[part.copy() for part in parts], exp.Paren(this=open_ended)))
        join.set("method", None)


def _write_out_windows(select: exp.Select) -> None:
    """Named windows where they are used: Spark reads what follows their name as a part of it."""
    named = {window.name: window for window in select.args.get("windows") or []}
    for window in select.find_all(exp.Window):
        base = named.get(window.alias) if window.args.get("alias") else None
        if base is not None and window.this is not base.this:
            window.set("alias", None)
            for part in ("partition_by", "order"):
                given = base.args.get(part)
                if given:
                    window.set(part, [each.copy() for each in given] if isinstance(given, list) else given.copy())
            if base.args.get("spec") and not window.args.get("spec") and not window.find(*_FRAMELESS):
                window.set("spec", base.args["spec"].copy())
    select.set("windows", None)


def _write_out_groups(select: exp.Select) -> None:
    """`group by all`: by every column that is no aggregate."""
    group = select.args.get("group")
    if group is not None and group.args.get("all"):
        keys = [value.unalias().copy() for value in select.expressions if not value.find(exp.AggFunc)]
        select.set("group", exp.Group(expressions=keys))


def _series(table: exp.Table) -> exp.Expr:
    """`from range(n)`: a table of one column, `range`."""
    rows = exp.Select(expressions=[exp.alias_(exp.Explode(this=table.this.copy()), "range")])
    return exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier(table.alias or "range")))


def _point(table: exp.Expr, view: str) -> None:
    """Have a table read under another name, known by the one it had."""
    if not table.args.get("alias"):
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
    table.set("this", exp.to_identifier(view))
    table.set("db", None)
    table.set("catalog", None)


def _renamed(body: exp.Expr, names: tuple[str, ...], wanted: tuple[str, ...]) -> exp.Expr:
    """The query with its columns under other names."""
    if names == wanted:
        return body
    if isinstance(body, exp.Select) and len(body.expressions) == len(wanted):
        values = [exp.alias_(value.unalias(), name) for value, name in zip(body.expressions, wanted, strict=True)]
        body.set("expressions", values)
        return body
    raise NotOnSparkError("columns that are named for a union")
