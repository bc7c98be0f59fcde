"""Small trees of Spark SQL, put together by hand.

What lives here: calls, literals, casts. Not here: what is translated to what (times.py, lists.py, expressions.py).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

# Translates a part of what a rule was given.
Walk = Callable[[exp.Expr], exp.Expr]
Rule = Callable[[exp.Expr, Walk], exp.Expr]


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A call of one of Spark's functions."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def number(value: int) -> exp.Expr:
    """A whole number that is not negative."""
    return exp.Literal.number(value)


def text(value: str) -> exp.Literal:
    """A text."""
    return exp.Literal.string(value)


def typed(value: exp.Expr, kind: str) -> exp.Cast:
    """A cast to a type, in DuckDB's words."""
    return exp.Cast(this=value, to=exp.DataType.build(kind, dialect="duckdb"))


def paren(value: exp.Expr) -> exp.Expr:
    """The value in parentheses where it may need them."""
    return (
        exp.Paren(this=value)
        if isinstance(value, exp.Binary | exp.Unary | exp.Window | exp.Between | exp.In)
        else value
    )


def function(parameters: str, body: exp.Expr) -> exp.Lambda:
    """A lambda of one or more parameters, written `x` or `x, y`."""
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name.strip()) for name in parameters.split(",")])


def when(*branches: tuple[exp.Expr, exp.Expr], otherwise: exp.Expr | None = None) -> exp.Case:
    """A CASE."""
    return exp.Case(ifs=[exp.If(this=condition, true=value) for condition, value in branches], default=otherwise)


def is_name(node: exp.Expr, name: str) -> bool:
    """Whether it is a call of a function sqlglot has no class for."""
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def with_parts(node: exp.Expr, walk: Walk) -> exp.Expr:
    """The same node of translated parts."""
    for name, part in list(node.args.items()):
        if isinstance(part, list):
            node.set(name, [walk(each) if isinstance(each, exp.Expr) else each for each in part])
        elif isinstance(part, exp.Expr):
            node.set(name, walk(part))
    return node
