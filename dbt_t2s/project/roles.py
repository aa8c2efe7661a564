"""What people call a reference from one table to another: where they test or constrain it."""

from __future__ import annotations

from dbt_t2s.project import meta
from dbt_t2s.project.artifacts import Node, section, text
from dbt_t2s.project.identifiers import SUFFIXES, entity_words, folded, words

# Words of such names that say what is checked, not what is referred to.
_TECHNICAL = frozenset(
    "fk foreign constraint rel relationship relationships ref refs reference references test valid"
    " check exists exist matches is are has have must should to in on of the a an and".split()
)
# A description longer than this tells what is tested rather than what is meant.
_LONGEST = 60


def of_test(test: Node, subject: str) -> str:
    """``meta.meaning``, a short description or the name that somebody gave the test; else empty.

    ``subject`` is the id of the tested node; dbt's own names of tests say nothing new.
    """
    metadata = section(test, "test_metadata")
    kind, package = text(metadata, "name"), text(metadata, "namespace")
    name = text(test, "name")
    made = (kind, f"source_{kind}", f"{package}_{kind}", f"{package}_source_{kind}")
    given = "" if name.startswith(made) else name
    return _written(test) or _named(given, subject)


def of_constraint(constraint: Node, subject: str) -> str:
    """The same for a foreign key of the node ``subject``."""
    return _written(constraint) or _named(text(constraint, "name"), subject)


def _written(node: Node) -> str:
    said = meta.merged(node)
    meaning = meta.clean(text(meta.own(node), "meaning") or text(said, "meaning"))
    described = meta.description(node).rstrip(".")
    return meaning or meta.label(node) or (described if len(described) <= _LONGEST else "")


def _named(name: str, subject: str) -> str:
    """A name's words without technical ones at its ends and the referring node's at its start."""
    found = _bare(words(name))
    own = entity_words(subject.split(".")[2]) if subject.count(".") > 1 else ()
    starts = own and tuple(folded(word) for word in found[: len(own)]) == own
    return " ".join(_bare(found[len(own) :]) if starts else found)


def _bare(found: tuple[str, ...]) -> tuple[str, ...]:
    while found and found[0] in _TECHNICAL:
        found = found[1:]
    while found and found[-1] in _TECHNICAL | SUFFIXES:
        found = found[:-1]
    return found
