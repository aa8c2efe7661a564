"""Tells a question in another language: the model reads English, and guesses at anything else.

Closed-class words tell languages apart in a few words (Grefenstette 1995); names and values from
the data, which may be of any language, are none of them.
"""

from __future__ import annotations

import re
import unicodedata

_WORDS = re.compile(r"[^\W\d_]+")

# Words that English, or a usual name, shares with the language are left out.
_FUNCTION_WORDS = {
    "German": """
        wie viel viele welche welcher welches wer wann wo warum der das den dem des ein eine einen
        einem einer ist sind waren wurde wurden haben hatte gab gibt es wir ihr sie und oder nicht
        mit von vom zum zur bei aus nach auf für pro im letzten letzte letzter letztes dieses diesem
        dieser alle zeige zeig bitte uns unser unsere kein keine mehr als jeder jede
    """,
    "French": """
        combien quel quelle quels quelles qui quand où pourquoi le les des du une est sont était
        étaient nous vous ils elles et ou pas avec dans sur chez par pour leur leurs notre nos ce
        cette ces dernier dernière mois année montre donne liste moi aux ont avons plus que tous
    """,
    "Spanish": """
        cuántos cuántas cuánto cuánta cuantos cuantas cuanto qué que cuál cuáles quién dónde cuándo
        el los las una unos es son fue fueron hay tenemos y o no con en por para del al nuestro
        nuestros este esta último última mes año muestra lista más cada todos todas
    """,
    "Italian": """
        quanti quante quanto quanta che quale quali chi dove quando perché il lo gli una è sono
        erano abbiamo hanno e o non con nel nella per da del della dei delle degli questo questa
        ultimo ultima mese anno mostra elenca più ogni tutti tutte
    """,
    "Portuguese": """
        quantos quantas quanto quanta que qual quais quem onde quando os uma é são foi foram temos
        e ou não com no na em por para do da dos das nosso nossa este esta último última mês
        ano mostre lista mais cada todos todas
    """,
    "Dutch": """
        hoeveel welke welk wie waar wanneer waarom het een zijn waren hebben heeft wij ze en of niet
        met van bij uit naar per deze dit onze laatste vorige maand jaar toon geef alle meer dan
        elke
    """,
}  # fmt: skip
_ENGLISH = frozenset("""
    a an the of in on at for to from by with and or is are was were be been do does did have has had
    i we you they it its their our me us my your that this these those what which who whose how when
    where why can could would should will all any each every per not no more than last this many
    much show list give get there as most many since only so also men die am es la no do per o e en
""".split())  # fmt: skip
_OF = {language: frozenset(words.split()) - _ENGLISH for language, words in _FUNCTION_WORDS.items()}


def foreign_language(question: str) -> str:
    """The language or script of a question that is not in English; empty when it is."""
    letters = [letter for letter in question if letter.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    if latin * 2 < len(letters):
        return "a script other than Latin"
    spoken = [word.lower() for word in _WORDS.findall(question)]
    english = sum(word in _ENGLISH for word in spoken)
    counted = {language: sum(w in words for w in spoken) for language, words in _OF.items()}
    language = max(counted, key=lambda each: counted[each])
    return language if counted[language] >= 2 and counted[language] > english else ""
