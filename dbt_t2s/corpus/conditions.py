"""Conditions of every kind and how they are said: flags, amounts, gaps, rules, what exists."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from dbt_t2s.corpus.many_conditions import ManyConditions
from dbt_t2s.corpus.nouns import is_participle
from dbt_t2s.corpus.said import Said
from dbt_t2s.corpus.vocabulary import plural, singular
from dbt_t2s.project.schema import Column, Kind, Role, Table
from dbt_t2s.query.dates import date_spans
from dbt_t2s.query.items import humanise
from dbt_t2s.query.plan import Col, Compare, Flag, Not, Null, Or, Pred, RuleRef, Value
from dbt_t2s.query.text import stems

_COMPARABLE = ((Kind.NUMBER,), (Kind.DATE, Kind.TIMESTAMP))


class Conditions(ManyConditions):
    """Draws conditions on rows of a table, with their wording."""

    def draw(self, root: str, rng: Random, without: Sequence[str] = ()) -> Said | None:
        """One condition on rows of ``root`` about none of the columns in ``without``."""
        makers = (
            (8, self.value),
            (6, self.during),
            (2, self.flag),
            (2, self.amount),
            (1.2, self.gap),
            (1.5, self.rule),
            (1, self.either),
            (1, self.except_value),
            (0.7, self.dated_by),
            (1, self.exists),
            (0.5, self.kept_or_lost),
            (0.5, self.against),
            (0.8, self.between),
            (0.4, self.outside),
            (0.5, self.any_of),
            (0.6, self.neither),
            (1, self.containing),
            (0.5, self.both),
            (0.4, self.worth),
            (0.4, self.many),
        )
        weights = [w for w, _ in makers]
        for _ in range(6):
            maker = rng.choices([m for _, m in makers], weights)[0]
            made = maker(self.words.tables[root], rng)
            if made is not None and made.about not in without:
                return made
        return None

    def flag(self, root: Table, rng: Random) -> Said | None:
        flags = [c for c in root.columns if c.kind is Kind.BOOLEAN]
        if not flags:
            return None
        column = rng.choice(flags)
        name = rng.choice(self.words.column_names(root, column))
        if date_spans(name, self.today, self.fiscal):
            return None  # "that are last month"
        pred: Pred = Flag(Col(root.name, column.name))
        about = f"{root.name}.{column.name}"
        had = column.name.startswith(("has_", "with_"))  # rows are not "discount": they have one
        if rng.random() < 0.65:
            if rng.random() < 0.4 and not had:
                return Said(pred, before=name, about=about)
            are = name
            if " " not in name and not is_participle(name):  # "that are first orders"
                are = plural(self.words.flagged(root, name))
            texts = [f"that are {are}", f"flagged as {name}", f"which are {are}"]
            if had:
                texts = [f"with {name}", f"with a {name}", f"that have {name}"]
            texts += self.words.flag_clauses(column) * 4
            return Said(pred, after=rng.choice(texts), about=about)
        texts = [
            f"that are not {name}",
            f"not {name}",
            f"that aren't {name}",
            f"which are not {name}",
        ]
        if had:
            texts = [f"without {name}", f"without a {name}", f"that have no {name}"]
        return Said(Not(pred), after=rng.choice(texts), about=about)

    def any_of(self, root: Table, rng: Random) -> Said | None:
        """``with status returned or a price over 100``: either of two columns will do."""
        one = self.value(root, rng)
        two = self.amount(root, rng)
        if one is None or two is None or one.before or one.about == two.about:
            return None
        if one.after.split()[0] not in ("with", "whose", "where") or not isinstance(
            one.pred, Value
        ):
            return None
        if one.pred.table != root.name:
            return None
        text = f"either {one.after} or {two.after}"
        kept = (*one.kept, *two.kept)
        return Said(Or(one.pred, two.pred), after=text, kept=kept, about=one.about, kind="either")

    def pair(self, root: Table, rng: Random) -> tuple[tuple[str, str], tuple[str, str]] | None:
        """Two columns that can be compared, each with a name for it; of two dates the later first.

        Columns that people call the same (``ordered_at``, ``ordered_on``) are no pair.
        """
        for kinds in rng.sample(_COMPARABLE, len(_COMPARABLE)):
            able = [
                c for c in root.columns if c.kind in kinds and c.role in (Role.MEASURE, Role.TIME)
            ]
            if len(able) < 2:
                continue
            one, two = rng.sample(able, 2)
            if kinds != (Kind.NUMBER,) and (one.minimum or "") < (two.minimum or ""):
                one, two = two, one
            names = [rng.choice(self.words.column_names(root, c)) for c in (one, two)]
            if kinds == (Kind.NUMBER,) and _unit(one) != _unit(two):
                continue
            if set(self.words.column_names(root, one)) & set(self.words.column_names(root, two)):
                continue
            return (one.name, names[0]), (two.name, names[1])
        return None

    def against(self, root: Table, rng: Random) -> Said | None:
        """``paid after their due date``: one column compared with another."""
        found = self.pair(root, rng)
        if found is None:
            return None
        (one, one_name), (two, two_name) = found
        if root.column(one).kind is not root.column(two).kind:
            return None  # any time of a day is after its date
        operator = rng.choice(("GT", "LT"))
        if root.column(one).kind is Kind.NUMBER:
            side = rng.choice(("above", "higher than") if operator == "GT" else ("below", "under"))
        else:
            side = rng.choice(("after", "later than") if operator == "GT" else ("before",))
        texts = [
            f"whose {one_name} is {side} the {two_name}",
            f"with a {one_name} {side} their {two_name}",
            f"where {one_name} is {side} {two_name}",
        ]
        pred = Compare(operator, Col(root.name, one), Col(root.name, two))
        return Said(pred, after=rng.choice(texts), about=f"{root.name}.{one}")

    def gap(self, root: Table, rng: Random) -> Said | None:
        able = [
            c
            for c in root.columns
            if c.null_share and 0 < c.null_share < 1 and c.role is not Role.KEY
        ]
        if not able:
            return None
        column = rng.choice(able)
        name = rng.choice(self.words.column_names(root, column))
        pred: Pred = Null(Col(root.name, column.name))
        about = f"{root.name}.{column.name}"
        amount = column.kind is Kind.NUMBER  # "no clicks" are 0, and not unknown
        if rng.random() < 0.65:
            texts = [
                f"missing {name}",
                f"where {name} is missing",
                f"with an empty {name}",
                f"whose {name} is unknown",
                f"with unknown {name}",
                f"with {name} not set",
            ]
            if not amount:
                texts += [
                    f"without a {name}",
                    f"with no {name}",
                    f"without {name}",
                    f"lacking a {name}",
                    f"that have no {name}",
                    f"that don't have a {name}",
                ]
            if is_participle(name.split()[-1]):
                texts.append(f"not yet {name}")
            return Said(pred, after=rng.choice(texts), about=about, kind="NULL handling")
        texts = [
            f"where {name} is known",
            f"with {name} filled in",
            f"with a known {name}",
        ]
        if not amount:
            texts += [f"with a {name}", f"that have a {name}"]
        if is_participle(name.split()[-1]):
            texts.append(f"that have been {name}")
        return Said(Not(pred), after=rng.choice(texts), about=about, kind="NULL handling")

    def rule(self, root: Table, rng: Random) -> Said | None:
        able = [
            r for r in self.words.rules.get(root.name, ()) if not r.name.endswith("_filter")
            and not r.always
        ]  # fmt: skip
        if not able:
            return None
        rule = rng.choice(able)
        noun = singular(self.words.nouns(root)[0])
        names = (humanise(rule.name).lower(), *rule.synonyms)
        name = rng.choice(names)
        bare = " ".join(w for w in name.split() if w not in noun.split())
        about = f"rule {rule.name}"
        pred = RuleRef(rule.name)
        if bare and bare != name:
            return Said(pred, before=bare, about=about)
        texts = [f"that count as {name}"]
        # No order is net revenue, none is "needs reorder".
        if set(stems(name)) not in self.words.metric_stems and is_participle(name.split()[-1]):
            texts += [f"that are {name}", f"in {name}", f"which are {name}"]
        return Said(pred, after=rng.choice(texts), about=about)


def _unit(column: Column) -> str:
    """The last word of a name, which tells amounts from counts: ``eur``, ``count``, ``days``."""
    return column.name.rsplit("_", 1)[-1]
