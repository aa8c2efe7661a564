"""A check's findings for code hosts: SARIF, and annotations of GitHub Actions.

The fields are those that GitHub's code scanning requires of SARIF 2.1.0. Paths are told from the
root of the repository, where these hosts look for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from dbt_t2s import __version__
from dbt_t2s.check.findings import Findings, line_of
from dbt_t2s.project.diff import CODES, Change, Weight

MOST_RESULTS = 5_000  # as many as GitHub shows; it refuses a file with 25,000
_SARIF_LEVELS = {
    Weight.BREAKING: "error",
    Weight.DEGRADING: "warning",
    Weight.IMPROVING: "note",
    Weight.NEUTRAL: "note",
}
_GITHUB_LEVELS = {Weight.BREAKING: "error", Weight.DEGRADING: "warning"}
_MEANINGS = {
    Weight.BREAKING: "questions that were answered before lose their answer or get another one",
    Weight.DEGRADING: "questions are understood or proven less well than before",
    Weight.IMPROVING: "questions are understood or proven better than before",
    Weight.NEUTRAL: "no question is harmed; what is new can be asked about after a training",
}
TITLES: Mapping[str, str] = {
    "T2S101": "table gone",
    "T2S102": "table new",
    "T2S103": "table renamed",
    "T2S104": "grain changed",
    "T2S105": "other rows",
    "T2S201": "column gone",
    "T2S202": "column new",
    "T2S203": "column renamed",
    "T2S204": "kind of column changed",
    "T2S205": "type of column changed",
    "T2S301": "join gone",
    "T2S302": "join new",
    "T2S401": "test gone",
    "T2S402": "test new",
    "T2S403": "accepted value gone",
    "T2S404": "accepted value new",
    "T2S501": "metric gone",
    "T2S502": "metric new",
    "T2S503": "metric means something else",
    "T2S601": "rule gone",
    "T2S602": "rule new",
    "T2S603": "rule means something else",
    "T2S701": "description gone",
    "T2S702": "description new",
    "T2S703": "description changed",
    "T2S704": "synonym gone",
    "T2S705": "synonym new",
    "T2S801": "saved query gone or changed",
}


def to_sarif(found: Findings, place: str = "") -> str:
    """SARIF 2.1.0, which code hosts show beside the lines of a change.

    ``place`` is the project's folder in its repository. The weightiest 5,000 findings are in it.
    """
    driver = {
        "name": "dbt-t2s",
        "version": __version__,
        "rules": [_rule(code, weight) for code, weight in CODES.items()],
    }
    results = [_result(each, place) for each in found.changes[:MOST_RESULTS]]
    content = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _rule(code: str, weight: Weight) -> dict[str, object]:
    title = TITLES[code]
    said = f"{title[0].upper()}{title[1:]} ({weight.value}): {_MEANINGS[weight]}."
    mend = (
        f"dbt-t2s check names the questions that it harms. Where it is meant, accept it with"
        f" --write-baseline, or all of its kind with `accept: [{code}]` in the settings, and"
        f" train again."
    )
    return {
        "id": code,
        "name": title,
        "shortDescription": {"text": title},
        "fullDescription": {"text": said},
        "help": {"text": f"{said} {mend}"},
        "defaultConfiguration": {"level": _SARIF_LEVELS[weight]},
    }


def _result(change: Change, place: str) -> dict[str, object]:
    # No line is known of most changes, and a file's first line would be one finding to a host.
    same = hashlib.sha256(line_of(change).encode()).hexdigest()[:16]
    return {
        "ruleId": change.code,
        "level": _SARIF_LEVELS[change.weight],
        "message": {"text": change.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(_located(change, place))},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2},
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{same}:1"},
    }


def _located(change: Change, place: str) -> str:
    """The file that a change is shown at, from the root of the repository."""
    path = (change.path or "dbt_project.yml").replace("\\", "/")
    return f"{place}/{path}" if place else path


def to_github(found: Findings, place: str = "") -> Iterator[str]:
    """Annotations of GitHub Actions: printed lines that it shows beside the changed files."""
    for each in found.changes:
        level = _GITHUB_LEVELS.get(each.weight)
        if level:
            file = _property(_located(each, place))
            yield f"::{level} file={file},title={each.code}::{_message(each.message)}"
    for broken in found.broken_tests:
        said = f"{broken.question}: {broken.reason}"
        yield f"::error title={broken.source} {broken.harm.value}::{_message(said)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
