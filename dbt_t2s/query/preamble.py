"""What a question is asked for, without the small talk before it.

"A Vienna paper is asking, so: how many customers do we have in Austria?" is not about Vienna. What
stands before the question is left out where it is somebody's sentence, asks nothing itself, and
where the question after it stands alone.
"""

from __future__ import annotations

import re

_ENDS = re.compile(r"(?<=[.!?;:])\s+(?=\S)")
_FORM = re.compile(r"\bi\.e\.|\be\.g\.", re.IGNORECASE)
# Somebody speaks, or is spoken of: "I need a name", "a paper is asking".
_SPOKEN = re.compile(
    r"\b(?:i|i'm|i've|i'd|i'll|we|we're|we've|we'd|we'll|he|she|they|people (?:keep|say|ask)|"
    r"someone|somebody|everyone|everybody|is|are|was|were|wants?|asks?|asked|asking|keeps?|"
    r"thinks?|says?|said|"
    r"hi|hello|hey|morning)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\?|\b(?:how (?:many|much|often|long|far|big|old)|what|which|who|whom|whose|list|show|give|"
    r"tell|count|number|names|total|average|share|percentage|top|per)\b",
    re.IGNORECASE,
)
# How a question that stands alone begins, within its first words.
_BEGINS = re.compile(
    r"(?:(?:and|but|so|ok|okay|anyway|please|pls)\W+)*"
    r"(?:(?:in|for|to|of|on|at|from|by|with|since|until|after|under)\s)?"
    r"(?:how|what|what's|whats|which|who|whom|whose|when|where|do|does|did|is|are|was|were|have|"
    r"has|can|could|list|show|give|count)\b",
    re.IGNORECASE,
)
# What points back at something said before.
_LEANS = re.compile(
    r"\b(?:its?|those|these|such|same|ones|the (?:others?|rest|two|three)|then|him|her|hers|his|"
    r"them)\b|"
    r"\bthis (?!year|month|week|quarter|morning|time|spring|summer|autumn|fall|winter)|"
    r"(?<!is )(?<!are )(?<!were )(?<!was )\bthere\b|"
    r"\bthat (?:year|month|week|quarter|day|one|shop|store|time|period)\b",
    re.IGNORECASE,
)
_THEY = re.compile(r"\b(?:they|their|theirs|he|she|that)\b", re.IGNORECASE)
_SOON = 6  # "they" among so few words is nobody that the question itself names
_FEWEST = 6
_POLITE = re.compile(r"(?:can|could)\b", re.IGNORECASE)
_FEWEST_POLITE = 12  # "could you pull the numbers"

# What a question tells somebody to do, where its word may name something: "return the shops".
_RETURN = re.compile(
    r"^(\W*(?:please\W+)?)return(?=\s+(?:me|the|all|an?|each|every|names?|ids?|number)\b)",
    re.IGNORECASE,
)


def plainly(text: str) -> str:
    """The question with a command that names nothing: "return the number of shops" asks for no
    returns."""
    return _RETURN.sub(r"\1show", text)


def asked(text: str) -> str:
    """The question in ``text``; all of it where that is not sure to stand alone."""
    if _FORM.search(text):
        return text
    start = 0
    for end in _ENDS.finditer(text):
        told = text[start : end.start()]
        if _ASKS.search(told) or not _SPOKEN.search(told):
            break
        start = end.end()
    question = text[start:]
    return question if start and _stands_alone(question) else text


def left_out(text: str) -> str:
    """What ``asked`` leaves out of ``text``; empty for nothing."""
    return text.removesuffix(asked(text)).strip()


def _stands_alone(question: str) -> bool:
    spoken = question.split()
    return (
        len(spoken) >= (_FEWEST_POLITE if _POLITE.match(question) else _FEWEST)
        and _BEGINS.match(question) is not None
        and not _LEANS.search(question)
        and not _THEY.search(" ".join(spoken[:_SOON]))
    )
