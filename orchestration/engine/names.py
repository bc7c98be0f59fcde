"""The columns a query has, by name.

What lives here: finding them, and what only names can say: unions by name, `*` with a column replaced. Not here: types,
which nothing here needs.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from orchestration.engine.errors import NotOnSparkError

# A CTE's name, or `schema.table`, and its columns in order.
Columns = Mapping[str, tuple[str, ...]]


def spelled_out(query: exp.Expr, known: Columns) -> tuple[exp.Expr, tuple[str, ...]]:
    """The query with unions by position and without replaced columns, and the names of its columns.

    Raises:
        NotOnSparkError: It reads a table whose columns are not known.
    """
    for inner in [each for each in query.find_all(exp.Subquery) if each is not query and _nearest(each, query)]:
        said, _ = spelled_out(inner.this, known)
        inner.set("this", said)
    if isinstance(query, exp.Subquery):
        said, names = spelled_out(query.this, known)
        query.set("this", said)
        return query, names
    if isinstance(query, exp.Union):
        return _union(query, known)
    if isinstance(query, exp.Select):
        return query, _select(query, known)
    raise NotOnSparkError(f"a query that is a {query.key}")


def _nearest(inner: exp.Expr, outer: exp.Expr) -> bool:
    """Whether no other subquery lies between."""
    parent = inner.parent
    while parent is not None and parent is not outer:
        if isinstance(parent, exp.Subquery):
            return False
        parent = parent.parent
    return True


def _union(query: exp.Union, known: Columns) -> tuple[exp.Expr, tuple[str, ...]]:
    left, left_names = spelled_out(query.this, known)
    right, right_names = spelled_out(query.expression, known)
    names = left_names
    if query.args.get("by_name"):
        left_given = {name.lower() for name in left_names}
        names += tuple(name for name in right_names if name.lower() not in left_given)
        left, right = _with_columns(left, left_names, names), _with_columns(right, right_names, names)
        query.set("by_name", None)
    query.set("this", left)
    query.set("expression", right)
    return query, names


def _with_columns(query: exp.Expr, has: tuple[str, ...], wanted: tuple[str, ...]) -> exp.Expr:
    """The query with these columns in this order, NULL where it has none."""
    if has == wanted:
        return query
    given = {name.lower() for name in has}
    values = [exp.column(name) if name.lower() in given else exp.alias_(exp.null(), name) for name in wanted]
    inner = query if isinstance(query, exp.Subquery) else exp.Subquery(this=query)
    inner = inner.copy()
    inner.set("alias", exp.TableAlias(this=exp.to_identifier("_side")))
    return exp.Select(expressions=values, from_=exp.From(this=inner))


def _select(query: exp.Select, known: Columns) -> tuple[str, ...]:
    sources = _sources(query, known)
    names: list[str] = []
    values: list[exp.Expr] = []
    for value in query.expressions:
        star, of = (value.this, value.table) if isinstance(value, exp.Column) else (value, "")
        if not isinstance(star, exp.Star):
            names.append(value.alias_or_name)
            values.append(value)
            continue
        starred = [(source, name) for source, each in sources.items() if of in ("", source) for name in each]
        replaced = {each.alias: each for each in star.args.get("replace") or []}
        if star.args.get("except_"):
            raise NotOnSparkError("* except")
        names += [name for _, name in starred]
        if replaced:
            values += [replaced.get(name) or exp.column(name, table=source) for source, name in starred]
        else:
            values.append(value)
    query.set("expressions", values)
    _tell_columns_from_aliases(query, sources)
    return tuple(names)


def _tell_columns_from_aliases(query: exp.Select, sources: Mapping[str, tuple[str, ...]]) -> None:
    """In HAVING a name is a column first and an alias second; Spark takes them the other way round."""
    having = query.args.get("having")
    if having is None:
        return
    aliases = {value.alias for value in query.expressions if isinstance(value, exp.Alias)}
    for column in having.find_all(exp.Column):
        of = [source for source, names in sources.items() if column.name in names]
        if not column.table and column.name in aliases and of:
            column.set("table", exp.to_identifier(of[0]))


def _sources(query: exp.Select, known: Columns) -> dict[str, tuple[str, ...]]:
    """What is read, by alias, and the columns `*` takes from it."""
    origin = query.args.get("from_")
    read = [origin.this] if origin else []
    for join in query.args.get("joins") or []:
        if join.args.get("using"):
            raise NotOnSparkError("a join by USING")
        if join.kind not in ("SEMI", "ANTI"):
            read.append(join.this)
    return {each.alias_or_name: columns_of(each, known) for each in read}


def columns_of(source: exp.Expr, known: Columns) -> tuple[str, ...]:
    """The columns of a table, CTE or subquery that is read."""
    if isinstance(source, exp.Subquery):
        names = spelled_out(source.this, known)[1]
        alias = source.args.get("alias")
        return tuple(name.name for name in alias.columns) if alias and alias.columns else names
    if not isinstance(source.this, exp.Identifier):
        return (source.alias or "range",)  # A series, which has one column.
    name = f"{source.args['db'].name}.{source.name}" if source.args.get("db") else source.name
    if name not in known:
        raise NotOnSparkError(f"the table {name}, whose columns are not known")
    return known[name]
