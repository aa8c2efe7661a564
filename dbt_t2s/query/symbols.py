"""The grammar's symbols: what each may turn into by a keyword, and what must then follow.

Names in lower case are symbols; an item (a column, a metric, a value ...) takes the place of a
symbol by itself, see ``grammar``.
"""

from __future__ import annotations

from dbt_t2s.query.plan import ARITHMETIC, COMPARISONS, GRAINS, PARTS, SUMMED, WRAPPERS

MEASURE: dict[str, tuple[str, ...]] = {
    "COUNT": ("table",),
    **dict.fromkeys(("SUM", "AVG", "MEDIAN"), ("number",)),
    **dict.fromkeys(("MIN", "MAX"), ("ordered",)),
    "COUNT_DISTINCT": ("counted",),
    **dict.fromkeys(WRAPPERS, ("measure",)),
    **dict.fromkeys(SUMMED, ("total",)),
    **dict.fromkeys(ARITHMETIC, ("measure", "measure")),
    "RATE": ("rated",),
    "ONLY": ("measure", "pred"),
}
BUCKET: dict[str, tuple[str, ...]] = dict.fromkeys((*GRAINS, *PARTS), ("when",))
DIM = BUCKET | {"DIFF": ("row_of", "subtrahend")}
# Grouped rows are ordered by, and ranked within, what is selected.
CHOSEN: dict[str, tuple[str, ...]] = dict.fromkeys((*GRAINS, *PARTS), ("when_chosen",))
# Inside arithmetic, windows, averages and comparisons a day is no number.
INNER = {**MEASURE, **dict.fromkeys(("MIN", "MAX"), ("number",))}
PRED: dict[str, tuple[str, ...]] = {
    "NOT": ("pred",),
    "OR": ("pred", "pred"),
    **dict.fromkeys(COMPARISONS, ("compared", "amount")),
    "ON": ("moment", "date"),
    "NULL": ("nullable",),
    "HAS": ("many", "has_more"),
    "LIKE": ("textual", "string"),
}
CLAUSES: dict[str, tuple[str, ...]] = {
    "HAVING": ("having", "having_more"),
    "DESC": ("sorted", "order_more"),
    "ASC": ("sorted", "order_more"),
    "END": (),
}
# What each symbol may turn into by a keyword, and what must then follow.
SYMBOLS: dict[str, dict[str, tuple[str, ...]]] = {
    "start": {
        "REFUSE": ("end",),
        "DISTINCT": ("dim", "dim_more"),
        "AVG_EACH": ("measure", "dim", "each_more"),
        **{k: (*v, "select_more") for k, v in (MEASURE | DIM).items()},
    },
    "select_more": {
        **{k: (*v, "select_more") for k, v in (MEASURE | DIM).items()},
        "WHERE": ("pred", "where_more"),
        **CLAUSES,
    },
    "dim_more": {
        **{k: (*v, "dim_more") for k, v in BUCKET.items()},
        "WHERE": ("pred", "where_more"),
        "DESC": ("sorted", "order_more"),
        "ASC": ("sorted", "order_more"),
        "END": (),
    },
    "each_more": {"WHERE": ("pred", "each_where"), "END": ()},
    "each_where": {**{k: (*v, "each_where") for k, v in PRED.items()}, "END": ()},
    "measure": INNER,
    "total": {k: INNER[k] for k in ("COUNT", "SUM", "COUNT_DISTINCT")}
    | {"ONLY": ("total", "pred")},
    "dim": BUCKET,
    "number": {"DIFF": ("number_of", "subtrahend")},
    "ordered": {"DIFF": ("number_of", "subtrahend")},
    "when": {"TIME": ()},
    "pred": PRED,
    "where_more": {**{k: (*v, "where_more") for k, v in PRED.items()}, **CLAUSES},
    "rated": {"NOT": ("rated",), "NULL": ("rated_null",)},
    "has_more": {**{k: (*v, "has_more") for k, v in PRED.items()}, "CLOSE": ()},
    "compared": {**INNER, "DIFF": ("compared_of", "subtrahend")},
    "amount": {"AVERAGE": (), "AVG_EACH": ("peer",)},
    "having": dict.fromkeys(COMPARISONS, ("measure", "amount")),
    "having_more": {
        **dict.fromkeys(COMPARISONS, ("measure", "amount", "having_more")),
        **{k: v for k, v in CLAUSES.items() if k != "HAVING"},
    },
    "sorted": {**MEASURE, **CHOSEN, "DIFF": ("sorted_of", "subtrahend")},
    "when_chosen": {"TIME": ()},
    "order_more": {"LIMIT": ("limit", "limit_more"), "END": ()},
    "limit": {"ONE": ()},
    "limit_more": {"PER": ("per", "end"), "END": ()},
    "per": CHOSEN,
    "end": {"END": ()},
}
SELECTS = frozenset({"start", "select_more", "dim", "dim_more", "sorted", "per"})
MEASURES = frozenset({"start", "select_more", "measure", "total", "sorted", "compared"})
PREDS = frozenset({"pred", "where_more", "each_where", "has_more", "rated"})
# Where a plan or a condition may stop.
CLOSING = frozenset(s for s, following in SYMBOLS.items() if {"END", "CLOSE"} & set(following))
