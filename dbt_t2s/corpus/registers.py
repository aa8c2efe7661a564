"""Registers: how a question, an order or a noun phrase is put, and what people write around it.

Most people type little more than what they want; some write whole sentences, some a letter.
"""

from __future__ import annotations

import re
from random import Random

from dbt_t2s.corpus.wording import many

_QUESTION = re.compile(
    r"(what|what's|how|which|who|who's|whose|when|where|why|in which|on which|is|are|was|were|do|"
    r"does|did|has|have|any)\b",
    re.I,
)
_ORDER = re.compile(r"(calculate|count|compare|list|tell|break|rank|show|give|find|sort)\b", re.I)
_FRONTED = re.compile(
    r"(for|per|by|in|on|at|since|until|with|without|during|of|from|about|where)\b|.*: ", re.I
)

_ARTICLE = re.compile(r"(the|our|all|every|each|any|my|top|#|both)\b|[#\d]", re.I)

_ASKED = (
    "can you tell me {q}", "could you check {q}", "do you know {q}", "any idea {q}", "tell me {q}",
    "i need to know {q}", "i'd like to know {q}", "i was wondering {q}", "so {q}", "and {q}",
    "hey, {q}", "quick question: {q}", "quick one: {q}", "just checking, {q}", "{q}, do you know",
    "{q} again", "the boss wants to know {q}", "they asked me {q}", "remind me, {q}", "ok, {q}",
    "now {q}", "{q} exactly", "roughly {q}", "also, {q}", "{q}, any idea",
)  # fmt: skip
_COMMANDED = (
    "show {q}", "show me {q}", "show me {q}", "give me {q}", "give {q}", "list {q}", "get me {q}",
    "find {q}", "find {q}", "return {q}", "display {q}", "pull {q}", "i need {q}", "need {q}",
    "i want {q}", "i want to see {q}", "let me see {q}", "please show {q}", "please give me {q}",
    "can i have {q}", "can i see {q}", "can you show me {q}", "could i get {q}", "send me {q}",
    "could you pull {q}", "looking for {q}", "check {q}", "get {q}", "please list {q}",
    "i would like {q}", "i'd like to see {q}", "we need {q}", "may i have {q}", "report {q}",
)  # fmt: skip
_TALKED = (
    "what about {q}", "and {q}", "how about {q}", "{q} then", "now {q}", "just {q}", "only {q}",
    "{q}, that's all i need", "{q} again", "next: {q}", "also {q}", "ok {q}", "so {q}",
    "what does {q} look like", "{q} if you have it", "plus {q}",
)  # fmt: skip

_GREETING = (
    "hi,", "hello,", "hey,", "hi there,", "hey there,", "hi team,", "hi all,", "dear all,",
    "good morning,", "morning,", "good evening,", "hello again,", "hey guys,", "hi folks,",
)  # fmt: skip
_WHY = (
    "for the board", "for the board meeting", "for my slides", "for the boss", "for the auditors",
    "for a presentation", "for planning", "for the press", "for my own curiosity", "for the file",
    "for the tax people", "for our investors", "for the newsletter", "for a workshop",
    "for the call at noon", "for tomorrow's meeting", "for the handover", "for bookkeeping",
    "for a colleague", "for head office", "for our retrospective",
)  # fmt: skip
_LEAD = (
    "sorry to bother you,", "one more thing:", "just wondering,", "i am preparing a talk:",
    "my manager asked:", "not sure if you can answer this, but", "before the call:", "honestly,",
    "small favour:", "out of curiosity,", "i was looking at the dashboard and wonder:", "right,",
    "we were discussing this at lunch:", "someone asked me this:", "stupid question maybe:",
    "follow-up:", "another one:", "to settle a bet:", "i keep forgetting:", "help,", "urgent:",
    "hm,", "first question:", "last one for now:", "something to decide:", "well,",
)  # fmt: skip
_CLOSING = (
    "thanks!", "thanks", "thank you", "please", "pls", "plz", "asap", "if possible", "cheers",
    "thanks in advance", "no rush", "just the figure", "if you have it", "many thanks", "thx",
    "as a list", "in one table", "just roughly", "it is urgent", "kind regards", "ty", "ta",
    "would help a lot", "you're the best", "need it by noon", "whenever you have a minute",
)  # fmt: skip


def kind(text: str) -> str:
    """``question``, ``order``, ``fronted`` (begins with a clause) or ``thing``."""
    if _QUESTION.match(text):
        return "question"
    if _ORDER.match(text):
        return "order"
    # "last year which store …": a clause before its question takes no order either.
    asks = re.search(r"\b(which|what|what's|how|who|when) ", text)
    return "fronted" if asks or _FRONTED.match(text) else "thing"


def frame(rng: Random, text: str) -> str:
    """A question, an order or a noun phrase as somebody would put it to a colleague."""
    way = rng.random()
    if kind(text) == "question" and way < 0.12:
        return rng.choice(_ASKED).format(q=text)
    if kind(text) == "thing" and way < 0.36:
        if way < 0.2:
            if text.startswith("all "):
                return text  # "list all orders" asks for rows, and not how many
            thing = text if way < 0.1 or _ARTICLE.match(text) else f"the {text}"
            made = rng.choice(_COMMANDED).format(q=thing)
            # "return ad spend" is no order where things are returned.
            return thing if made.startswith("return ") and thing is text else made
        return asked(text) if way < 0.3 else rng.choice(_TALKED).format(q=text)
    if kind(text) == "thing" and way < 0.39 and not _ARTICLE.match(text):
        return f"our {text}"
    return surround(rng, text)


def asked(thing: str) -> str:
    """``what is`` or ``what are`` before a noun phrase, by the number of its head."""
    article = "" if _ARTICLE.match(thing) else "the "
    return f"what {'are' if many(thing) else 'is'} {article}{thing}"


def surround(rng: Random, text: str) -> str:
    """What people write around a question: a greeting, a reason, thanks; now and then a letter."""
    way = rng.random()
    if way < 0.03:
        return f"{rng.choice(_GREETING)} {text}"
    if way < 0.06:
        return f"{rng.choice(_LEAD)} {text}"
    if way < 0.08:
        why = rng.choice(_WHY)
        return rng.choice((f"{why}: {text}", f"{text} {why}", f"{text}, {why}", f"{text} - {why}"))
    if way < 0.13:
        return f"{text}{rng.choice((' ', ', ', ', ', ' - '))}{rng.choice(_CLOSING)}"
    if way < 0.145:
        why = rng.choice((f"i need this {rng.choice(_WHY)}.", f"this is {rng.choice(_WHY)}.", ""))
        letter = f"{rng.choice(_GREETING)} {text}. {why} {rng.choice(_CLOSING)}"
        return re.sub(r"\s+", " ", letter)
    return text


_AROUND = tuple(
    sorted(
        {each.rstrip(",:") for each in (*_GREETING, *_WHY, *_LEAD, *_CLOSING) if len(each) > 2}
        | {e.replace("{q}", "").strip(" ,") for e in (*_ASKED, *_TALKED) if not e.endswith("{q}")}
        - {"", "exactly"}
    )
)
_FRAMED = re.compile(rf"\b(?:{'|'.join(map(re.escape, _AROUND))})(?!\w)", re.I)


def is_framed(text: str) -> bool:
    """Whether something stands around the question itself: a greeting, a reason, thanks."""
    return bool(_FRAMED.search(text))
