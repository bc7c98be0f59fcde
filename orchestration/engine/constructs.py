"""The constructs that models may use.

What lives here: the list, and saying what is not on it. Not here: what each becomes on Spark (expressions.py, times.py,
lists.py, subqueries.py, queries.py). A construct that is new gets its rule there, its case in
tests/spark/test_constructs.py, and its name here.
"""

from __future__ import annotations

from sqlglot import exp

from orchestration.engine.errors import NotOnSparkError

_QUERIES = (
    "Select With CTE From Join Where Group GroupingSets Having Order Ordered Distinct Union Subquery Table TableAlias "
    "Window WindowSpec Filter IgnoreNulls Create Properties TemporaryProperty Column ColumnDef Alias Star Identifier "
    "Var "
)
_OPERATORS = (
    "Add Sub Mul Div IntDiv Mod Neg Paren And Or Not Is In Between Like EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ "
    "DPipe BitwiseAnd BitwiseLeftShift BitwiseRightShift Case If Coalesce Nullif Greatest Least Exists Tuple Lambda "
    "Bracket "
)
_VALUES = "Literal Boolean Null Interval DataType DataTypeParam Cast TryCast Array Struct PropertyEQ"
_TEXTS = (
    "Chr ConcatWs Encode Left Length Lower MD5 RegexpExtract RegexpLike RegexpReplace Replace SplitPart StartsWith "
    "StrPosition Substring Translate Trim Upper"
)
_NUMBERS = "Abs Ceil Floor Pow Round Sqrt"
_TIMES = "DateDiff DateFromParts Extract TimestampTrunc"
_LISTS = (
    "ArrayContains ArrayDistinct ArrayFilter ArrayMax ArrayMin ArrayOverlaps ArraySort ArrayToString Explode Flatten "
    "GenerateSeries Transform JSONExtractScalar JSONPath JSONPathKey JSONPathRoot JSONPathSubscript JSONPathWildcard"
)
_AGGREGATES = (
    "ArgMin ArrayAgg BitwiseOrAgg Count First GroupConcat Grouping LogicalAnd LogicalOr Max Min PercentileCont Sum "
    "DenseRank FirstValue Lag LastValue Lead Rank RowNumber"
)
CONSTRUCTS = frozenset(" ".join((_QUERIES, _OPERATORS, _VALUES, _TEXTS, _NUMBERS, _TIMES, _LISTS, _AGGREGATES)).split())
# Functions sqlglot has no class for.
FUNCTIONS = frozenset(
    {
        "bit_count",
        "epoch_us",
        "list_avg",
        "list_extract",
        "list_reduce",
        "list_slice",
        "list_sum",
        "map_extract_value",
        "strip_accents",
        "strlen",
        "text_polarity",
        "timezone",
        "to_hours",
        "to_microseconds",
        "to_minutes",
    }
)


def check(tree: exp.Expr) -> None:
    """Whether a query uses nothing but these.

    Raises:
        NotOnSparkError: It uses something else; says what.
    """
    for node in tree.walk():
        if isinstance(node, exp.Anonymous):
            if node.name.lower() not in FUNCTIONS:
                raise NotOnSparkError(f"the function {node.name.lower()}")
        elif type(node).__name__ not in CONSTRUCTS:
            raise NotOnSparkError(f"{type(node).__name__}, as in {' '.join(node.sql('duckdb').split())[:80]}")
