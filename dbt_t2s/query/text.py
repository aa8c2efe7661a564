"""A question's words: where they stand, and their stems."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*", re.UNICODE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STEMMER = snowballstemmer.stemmer("english")
# It keeps the word that it is at: two threads would get each other's letters.
_STEMMING = threading.Lock()

# Words that carry the form of a question, never a name from the schema.
STOP_WORDS = frozenset((
    "a", "an", "the", "of", "in", "on", "at", "for", "to", "from", "by", "with", "and", "or",
    "is", "are", "was", "were", "be", "been", "do", "does", "did", "have", "has", "had", "i",
    "we", "you", "they", "it", "its", "their", "our", "me", "us", "my", "your", "that", "this",
    "these", "those", "what", "which", "who", "whom", "whose", "how", "when", "where", "why",
    "can", "could", "would", "should", "will", "shall", "may", "might", "please", "show",
    "give", "list", "tell", "get", "find", "see", "want", "need", "there", "here", "as", "per",
    "each", "every", "all", "any", "some", "so", "if", "than", "then", "into", "about",
    "across", "between", "during", "over", "under", "up", "out", "not", "no", "only", "just",
    "also", "too", "very", "much", "many", "s", "t", "re", "ve", "ll", "m", "d", "let", "lets",
    "what's", "what’s", "whats", "who's", "who’s", "how's", "how’s", "where's", "where’s",
    "that's", "that’s", "there's", "there’s", "it's", "it’s", "s'il", "hey", "hi", "hello", "ok",
    "thanks", "thx", "pls", "plz",
))  # fmt: skip


# Forms that no suffix rule takes back to their verb or noun.
_IRREGULAR = {
    form: base
    for base, forms in {
        "become": "became", "begin": "began begun", "break": "broke broken", "bring": "brought",
        "build": "built", "buy": "bought", "catch": "caught", "child": "children",
        "choose": "chose chosen", "come": "came", "draw": "drew drawn", "drive": "drove driven",
        "eat": "ate eaten", "feed": "fed", "find": "found", "fly": "flew flown",
        "freeze": "froze frozen", "give": "gave given", "go": "went gone", "grow": "grew grown",
        "hold": "held", "keep": "kept", "know": "knew known", "lead": "led", "leave": "left",
        "lend": "lent", "lose": "lost", "make": "made", "man": "men", "mean": "meant",
        "meet": "met", "pay": "paid", "person": "people persons", "ride": "rode ridden",
        "rise": "rose risen", "run": "ran", "see": "saw seen", "sell": "sold", "send": "sent",
        "speak": "spoke spoken", "spend": "spent", "steal": "stole stolen", "take": "took taken",
        "teach": "taught", "tell": "told", "think": "thought", "throw": "threw thrown",
        "wear": "wore worn", "win": "won", "withdraw": "withdrew withdrawn", "woman": "women",
        "write": "wrote written",
    }.items()
    for form in forms.split()
}  # fmt: skip


@dataclass(frozen=True)
class Word:
    """One word of a text: ``start`` and ``end`` are character offsets."""

    text: str
    start: int
    end: int

    @property
    def stem(self) -> str:
        return stem(self.text)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The word's English stem, lower case (Snowball's English stemmer, Porter 2001)."""
    lowered = word.lower().removesuffix("'s").removesuffix("’s")
    with _STEMMING:
        stemmed: str = _STEMMER.stemWord(_IRREGULAR.get(lowered, lowered))
    return stemmed


def words(text: str) -> tuple[Word, ...]:
    """The words of a text in order."""
    return tuple(Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(text))


@lru_cache(maxsize=65536)
def name_words(name: str) -> tuple[str, ...]:
    """The words of an identifier: ``netAmount_eur`` → net, amount, eur."""
    return tuple(w.lower() for part in _CAMEL.split(name) for w in _identifier_words(part))


def _identifier_words(part: str) -> Iterator[str]:
    yield from re.findall(r"[^\W_]+", part, re.UNICODE)


def stems(text: str) -> tuple[str, ...]:
    return tuple(stem(w) for w in name_words(text))


def places(name: Sequence[str], spoken: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the stems of a name stand in a text's: the first one, and the one after the last."""
    for at in range(len(spoken) - len(name) + 1) if name else ():
        if tuple(spoken[at : at + len(name)]) == tuple(name):
            yield at, at + len(name)
