"""Nouns that may name the same rows: synonyms, and the roles in which people are referred to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from dbt_t2s.project.identifiers import folded

# Nouns of which each may be the others' table.
_SYNONYMS = (
    ("customer", "client", "buyer"),
    ("employee", "staff", "worker", "personnel"),
    ("person", "individual", "contact"),
    ("user", "member"),
    ("product", "item", "article"),
    ("store", "shop", "branch", "outlet"),
    ("supplier", "vendor"),
    ("company", "organization", "organisation", "firm"),
    ("movie", "film"),
    ("vehicle", "car"),
    ("picture", "photo", "image"),
    ("nation", "country"),
    ("town", "city"),
    ("invoice", "bill"),
    ("physician", "doctor"),
    ("trip", "journey", "ride"),
)

# What people are called in the work they do for the one who keeps the tables (``created_by`` is
# one of them too); what others are.
_STAFF = frozenset(
    """
    adviser advisor agent analyst approver assignee assistant boss buyer by cashier chair chairman
    clerk coach coordinator counselor dean deputy designer developer director editor engineer
    executive head inspector instructor investigator lecturer manager mentor operator owner
    president prof professor recruiter rep reporter representative reviewer salesman salesperson
    secretary seller supervisor teacher technician trainer tutor
    """.split()
)
_OTHERS = frozenset(
    """
    actor applicant artist athlete attendee author candidate captain champion commenter composer
    contestant contractor contributor creator debater dentist donor driver entrepreneur follower
    founder friend guest gymnast host inventor investor judge lawyer leader loser mayor minister
    musician nominee nurse organiser organizer participant passenger patient performer
    photographer pilot player poster producer programmer recipient referee referrer renter
    requester researcher respondent rider sender senator singer speaker sponsor student subscriber
    swimmer tenant voter winner witness wrestler writer
    """.split()
)
# The tables that keep them, those of a narrower circle first.
_STAFF_TABLES = ("staff", "employee", "faculty", "personnel")
_PEOPLE_TABLES = ("user", "member", "person")


@lru_cache(maxsize=65536)
def kin(word: str) -> tuple[str, ...]:
    """The nouns, folded, by which the rows that ``word`` (folded) names may go too, nearest first.

    A manager may be in the table of employees, a candidate in that of people.
    """
    return tuple(each for each in _KIN.get(word, ()) if each != word)


def is_role(word: str) -> bool:
    """Whether the noun (folded) says what somebody is or does: manager, candidate."""
    return word in _ROLES


def _kin() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    groups: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(each, each) for each in _SYNONYMS]
    groups += [((word,), (*_STAFF_TABLES, *_PEOPLE_TABLES)) for word in sorted(_STAFF)]
    groups += [((word,), _PEOPLE_TABLES) for word in sorted(_OTHERS)]
    for of, others in groups:
        for word in of:
            added = (*found.get(folded(word), ()), *map(folded, others))
            found[folded(word)] = tuple(dict.fromkeys(added))
    return found


_KIN = _kin()
_ROLES = frozenset(folded(word) for word in _STAFF | _OTHERS)
