"""Small changes of wording that keep a question's meaning: clause order, ellipsis, short forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from random import Random

from dbt_t2s.corpus.business_words import PEOPLE
from dbt_t2s.corpus.nouns import is_plural, plural, singular
from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.query.dates import date_spans

_HEAD_ENDS = re.compile(
    r"\s(?:of|with|without|in|on|at|for|from|by|per|since|that|who|whose|which|where|until|before|"
    r"after|during|and|having|via|last|this|between|do|did|does|was|were|is|are|has|have|over|under|"
    r"missing|not|lacking|across|the)(?:\s|$)|[,:(]"
)
_MONEY = frozenset("sales earnings takings expenses costs fees savings wages".split())
# Words for sums as well as for rows: "spends by team" leaves open which.
AMOUNTS = _MONEY | frozenset(
    "spend spends spendings payments charges discounts margins refunds reductions".split()
)
_SHORT = {
    "average": ("avg", "avg", "mean"),
    "number of": ("no. of", "nr of", "no of", "#", "count of"),
    "percentage": ("pct", "%", "percent"),
    "maximum": ("max",),
    "minimum": ("min",),
    "quantity": ("qty",),
    "versus": ("vs",),
    "department": ("dept",),
    "without": ("w/o", "without"),
    "with": ("w/", "with", "with"),
    "and": ("&", "and", "+"),
    "please": ("pls",),
    "people": ("ppl", "people"),
    "weekday": ("day of the week",),
    "more than": ("over", ">"),
    "at least": ("min.", ">="),
}
# What a date may not be taken out of: clauses with rows of their own, comparisons.
_BOUND = re.compile(
    r"\b(who|that|which|whose|without|with|where|than|minus|between|exceed|compare\w*|having|no|"
    r"not|never|any|versus|vs|and|or|from .* to|only|lacking|missing)\b"
)
_DATED = re.compile(r"(in|during|for|since|over|last|this|on|until|before|after|ytd|year)\b", re.I)


def by(dim: str, many_dims: str, rng: Random) -> str:
    """The clause that breaks a measure down by ``dim`` (``many_dims`` is its plural)."""
    return rng.choice(
        (
            f"by {dim}", f"by {dim}", f"by {dim}", f"by {dim}", f"per {dim}", f"per {dim}",
            f"per {dim}", f"for each {dim}", f"for every {dim}", f"in each {dim}", f"by each {dim}",
            f"broken down by {dim}", f"split by {dim}", f"across {many_dims}", f"grouped by {dim}",
            f"of each {dim}", f"in every {dim}", f"among {many_dims}",
        )
    )  # fmt: skip


def head(phrase: str) -> str:
    """A noun phrase up to its first preposition, clause or mark."""
    bare = re.sub(r"^(the|our|all|overall)\s", "", phrase.strip())
    return _HEAD_ENDS.split(bare, maxsplit=1)[0].strip()


def many(phrase: str) -> bool:
    """Whether a noun phrase takes a verb in the plural."""
    return is_plural(head(phrase)) and not re.match(
        r"(number|total number|count|sum|share|percentage)\b", head(phrase)
    )


_AVERAGED = re.compile(
    r"(average|avg|mean|median|typical|min|minimum|max|maximum|lowest|highest|smallest|largest|biggest|"
    r"longest|shortest|rate|\w+ rate|total|overall|sum|combined)\b"
)


# "at least 50 number of orders", "cumulative the revenue".
_COUNTED = re.compile(
    r"\b((?:than|least|most|over|under|above|below|exactly|[<>]=?) [\w,.]+)"
    r" (?:total )?(?:number|count|#) of "
)
_ARTICLE = re.compile(
    r"\b(cumulative|running|daily|weekly|monthly|quarterly|yearly|average|mean|highest|most|"
    r"largest|biggest|best|top|greatest|lowest|least|smallest|fewest|worst|more|much|each|every|"
    r"by (?:day|week|month|quarter|year)) (?:the|our) "
)


_EARNED = frozenset("revenue sales income turnover takings profit earnings margin".split())


# What a business wants more of, besides what it earns.
_WANTED = frozenset("order purchase customer client buyer member booking visit unit".split())
# What makes it unwanted: of order costs nobody says which are the best.
_UNWANTED = frozenset(
    "cost expense spend fee tax discount refund return loss delay hour day".split()
)
_ENDS = {True: ("top", "best"), False: ("bottom", "worst")}


def ends(name: str, descending: bool) -> tuple[str, str]:
    """How the ends of a ranking are called: the best and the worst only by what is wanted."""
    words = {singular(word) for word in name.split()}
    top, best = _ENDS[descending]
    wanted = words & (_WANTED | set(map(singular, _EARNED))) and not words & _UNWANTED
    return (top, best if wanted else top)


def is_averaged(name: str) -> bool:
    """Whether a measure's name begins with how it is aggregated: ``longest waiting time``."""
    return _AVERAGED.match(re.sub(r"^(the|our) ", "", name)) is not None


def earned(name: str) -> tuple[str, ...]:
    """How one asks for what a business earns, where a measure is called ``name``."""
    bare = re.sub(r"^(the|our|overall) ", "", name)
    if not _EARNED & set(bare.split()) or _AVERAGED.match(bare) or re.search(r"\d|%", bare):
        return ()
    return (f"how much {bare} did we make", f"how much {bare} came in")


def agree(text: str) -> str:
    """Verbs, ``much`` or ``many`` and ``a`` or ``an``, after the words that they are about."""
    text = re.sub(
        r"\b(how many|number of|count of) (?:number|count|#|total number) of\b", r"\1", text
    )
    text = re.sub(r"\bhow much (more )?(?:number|count|#) of ", r"how many \1", text)
    text = re.sub(r"^what (?:the|our|overall) (.*) (did|do) we have", r"what \1 \2 we have", text)
    text = _COUNTED.sub(r"\1 ", text)
    text = _ARTICLE.sub(r"\1 ", text)
    text = re.sub(
        r"\ba (?=(?:\w+ )?(?:hours|days|minutes|months|years|weeks|metres|meters|grams|units)\b)",
        "",
        text,
    )
    text = re.sub(r"^(how many .*?) (?:are|were|is)$", r"\1", text)
    text = re.sub(r"^how (much|many) (?:our|the|overall) ", r"how \1 ", text)
    if found := re.match(r"how many (\w+(?: \w+)?) (?:count|volume)\b", text):
        text = f"how many {plural(found[1])}{text[found.end() :]}"
    text = _how(text)
    found = re.match(r"(what|where|how) (is|are|was|were) (.*)$", text)
    if found and not re.match(
        r"(we|you|it|in|on|at|there|from|the (?:\w+ )?most common)\b", found[3]
    ):
        forms = ("are", "is") if found[2] in ("is", "are") else ("were", "was")
        text = f"{found[1]} {forms[0] if many(found[3]) else forms[1]} {found[3]}"
    text = re.sub(r"\ban? (?=[aeio])(?!one\b|eu)", "an ", text)
    return re.sub(r"\ban (?=[bcdfgjklmnpqrstvwxyz])", "a ", text)


def _how(text: str) -> str:
    """``how much`` of what is no amount, ``how big`` of what is counted."""
    found = re.match(r"how (?:much|big|high) (?:was |is |are )?([#\w. -]+)(.*)$", text)
    if found is None:
        return text
    rest = found[1] + found[2]
    if re.match(r"(#|number of|count of|no\.? of|nr of) ", rest):
        return f"what is the {rest}"
    if _AVERAGED.match(rest):
        rest = re.sub(r" (did|do) we have\b", "", rest)
        return text if re.search(r" (does|do|did) ", rest) else f"what is {rest}"
    if many(found[1]) and head(found[1]).split()[-1] not in _MONEY:
        return f"how many {rest}"
    return text


_SUPERLATIVE = re.compile(
    r"\b(?:with|has|have|had|brings)(?: the)? (highest|most|largest|biggest|best|top|greatest|"
    r"lowest|least|smallest|fewest|worst) (?!\d|two|three|four|five|six|seven|eight|nine|ten)(.*)$"
)


def superlative(text: str) -> str:
    """``most`` and ``fewest`` of what is counted, ``highest`` and ``lowest`` of the rest."""
    found = _SUPERLATIVE.search(text)
    if found is None:
        return text
    up = found[1] in ("highest", "most", "largest", "biggest", "best", "top", "greatest")
    word = found[1]
    averaged = _AVERAGED.match(found[2]) is not None
    if not averaged and many(found[2]) and head(found[2]).split()[-1] not in _MONEY:
        word = "most" if up else "fewest"
    elif averaged or word in ("fewest", "top"):
        word = "highest" if up else "lowest"
    return f"{text[: found.start(1)]}{word} {found[2]}"


_BEFORE_DATE = (
    "an?|the|their|no|unknown|known|latest|last|earliest|first|recent|missing|whose|empty|any|"
    "oldest|newest|without|with"
)
_AFTER_DATE = (
    "of|is|are|does|before|after|for|filled|not|as|whose|with|that|where|between|among|when"
)


def dated(text: str, participles: frozenset[str]) -> str:
    """``the closed date`` where a date's name is a participle and stands for a noun."""
    if not participles:
        return text
    names = "|".join(sorted(map(re.escape, participles), key=len, reverse=True))
    return re.sub(rf"\b({_BEFORE_DATE}) ({names})(?= (?:{_AFTER_DATE})\b|,|$)", r"\1 \2 date", text)


def relative(rng: Random, text: str) -> str:
    """``who`` for people, ``which`` and ``that`` for things."""
    if (
        text.startswith("who ")
        and not text.startswith("who entered")
        and not PEOPLE.intersection(singular(w) for w in text.split())
    ):
        text = f"which{text[3:]}"

    def swapped(found: re.Match[str]) -> str:
        before = [singular(w.lower()) for w in re.findall(r"\w+", text[: found.start()])]
        if found[1] == "who":
            return "who " if PEOPLE.intersection(before) else "that "
        return "who " if before[-1:] and before[-1] in PEOPLE and rng.random() < 0.7 else found[0]

    if re.match(r"(who|which)\b", text):
        return text
    if rng.random() < 0.4:
        having = re.compile(r"\b(\w+) with (?=no |more |less |fewer |over |at least |at most )")
        text = having.sub(
            lambda m: f"{m[1]} who have " if singular(m[1].lower()) in PEOPLE else m[0], text
        )
    return re.sub(r"\b(who|that|which) (?=(?:are|were|have|had|never|do|did|has)\b)", swapped, text)


def fronted(
    rng: Random, text: str, kept: Sequence[str], today: date, fiscal: FiscalYear | None = None
) -> str:
    """Now and then the period first, or set off at the end: ``2024: revenue by country``."""
    if rng.random() > 0.22 or _BOUND.search(text):
        return text
    dates = [k for k in kept if k and text.endswith(f" {k}") and _DATED.match(k)]
    before = date_spans(text, today, fiscal)
    if len(dates) != 1 or len(before) != 1:
        return text
    rest, when = text[: -len(dates[0])].strip(" ,"), dates[0]
    bare = re.sub(r"^(in|during|for|over) (the )?", "", when)
    options = [f"{when}, {rest}", f"{when} {rest}", f"{rest}, {when}", f"{bare}: {rest}"]
    if bare != when:
        options += [f"{rest}, {bare}", f"{bare} {rest}", f"{rest} {bare}", f"{rest} - {bare}"]
    made = rng.choice(options)
    spans = date_spans(made, today, fiscal)
    same = len(spans) == 1 and spans[0].range == before[0].range
    return made if same else text


def shortened(rng: Random, text: str, kept: Sequence[str]) -> str:
    """Words left out or written short, as in a chat; words in ``kept`` stay as they are."""
    way = rng.random()
    if way < 0.1:
        text = re.sub(r"^(what (is|are|was|were)|which are) (the )?", "", text)
    elif way < 0.16:
        text = re.sub(r" (are there|do we have|did we have|were there)$", "", text)
    elif way < 0.24:
        text = re.sub(r"\b(the|a|an) ", "", text)
    elif way < 0.34:
        safe = " ".join(kept).lower()
        able = [w for w in _SHORT if re.search(rf"\b{w}\b", text) and w not in safe]
        if able:
            word = rng.choice(able)
            text = re.sub(rf"\b{word}\b", rng.choice(_SHORT[word]), text, count=1)
    return text


def once(text: str) -> str:
    """A word once where it came twice: ``with the highest highest price``."""
    return re.sub(r"\b(\w{4,}) \1\b", r"\1", text)


def people_first(rng: Random, text: str) -> str:
    """``who`` and ``people``, where one table alone holds people and is asked about."""
    found = re.match(r"(which|what|how many) (?:\d+ )?(\w+)(?: (?:who|that))? (.*)$", text)
    if not found or singular(found[2].lower()) not in PEOPLE or rng.random() > 0.5:
        return text
    asks, noun, rest = found[1], found[2], found[3]
    if asks == "how many" and not is_plural(noun):
        return text  # of "how many customer visits" the visits are counted
    if asks == "how many":
        return (
            f"how many people {rest}"
            if (rng.random() < 0.5 and not rest.startswith(noun))
            else text
        )
    if re.match(r"(has|have|had|are|is|were|was|did|do)\b", rest):
        rest = re.sub(r"^have\b", "has", rest) if not is_plural(noun) else rest
        return f"who {rest}"
    return text


def reworded(
    rng: Random,
    text: str,
    kept: Sequence[str],
    today: date,
    people: bool = False,
    participles: frozenset[str] = frozenset(),
    fiscal: FiscalYear | None = None,
) -> str:
    """A question with its clauses, pronouns and forms as some person would write it.

    ``people`` says that one table alone holds people: ``who`` can mean no others;
    ``participles`` are names of dates such as ``delivered``.
    """
    text = once(relative(rng, superlative(agree(dated(text, participles)))))
    if people:
        text = people_first(rng, text)
    return shortened(rng, fronted(rng, text, kept, today, fiscal), kept)
