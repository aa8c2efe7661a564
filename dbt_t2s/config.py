"""One frozen settings value: defaults < dbt_project.yml vars < DBT_T2S_* environment < flags.

An unknown key and a value of the wrong type are errors that name the place they were written.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from dbt_t2s.errors import ProjectError, UsageError
from dbt_t2s.judge.style_rules import StyleRules, read_style
from dbt_t2s.project.meta import PERSONAL, YEAR_NAMED, month_of
from dbt_t2s.project.schema import FiscalYear
from dbt_t2s.project.tables import PACKAGES
from dbt_t2s.project.values import PROFILE_ROWS

ENV_PREFIX = "DBT_T2S_"
# Names with the prefix that are switches of the program and not settings.
ENV_SWITCHES = frozenset({"DEBUG", "TEACHER_KEY", "TOKEN"})
VARS_KEY = "t2s"
DIALOGUES = "t2s/dialogues.jsonl"
QUESTIONS = "t2s/questions.jsonl"
# In the order of the report: what people wrote comes first, what was made from the corpus last.
SUITES = (
    "business",
    "dialogues",
    "dialogues_own",
    "saved_queries",
    "metrics",
    "generated",
    "expected_rows",
)
FAIL_ON = ("breaking", "degrading", "stale")
METHODS = ("lora", "qlora", "full")
CONTEXTS = ("none", "retrieved", "full")
ANSWERS = ("sql", "plan")
# Where questions are kept; empty for nowhere.
IN_PROJECT, IN_WAREHOUSE = "project", "warehouse"


@dataclass(frozen=True)
class Settings:
    """What one run is told.

    ``as_of`` is the day that "today" means (ISO), empty for the real one. ``questions`` is the
    business test set, relative to the project; empty when there is none. ``refuse_under`` is the
    confidence under which a question is refused; None leaves it to the trained model. Of tables
    with more than ``profile_rows`` rows a sample is looked at. ``max_examples`` is the most that a
    corpus may hold, None where what there is to cover decides. ``personal`` are the tags and keys
    of ``meta`` that mark personal data, which is never sampled. ``query_log`` is a file of
    statements to mine beside the project's own (``.sql``, ``.jsonl``, ``.csv``, ``.parquet``;
    relative to the project) or ``relation:column`` of the warehouse; empty when there is none.
    ``packages`` are the dbt packages whose nodes may be queried: names, ``own`` or ``all``.
    ``log_schema`` is where the macros keep their tables in the warehouse, empty for the target's
    schema; they read it in ``vars`` alone.

    ``suites`` are the test sets to run, empty for all. A validation fails where the accuracy on
    the first of them is under ``fail_under``, that on all questions of a type under its floor in
    ``fail_under_type`` (type, share), or, with ``fail_on_regression``, where the last model gave a
    right answer and this one does not. ``style`` is the house style that SQL is held against.
    A check of a change fails on what ``fail_on`` names (breaking, degrading, stale); findings in
    ``accept`` (``T2S703``, ``T2S201 orders.note``) are left out.

    ``minutes`` is the time budget for training, None for what suits the base (``budget``).
    ``method`` (lora, qlora, full), ``schema_context`` (none, retrieved, full: what a prompt tells)
    and ``answers`` (sql, plan: what is written) are of bases that are not the embedded one.
    ``recovery`` and ``reading`` say how many lessons a hub model gets beside the training
    examples, as shares of those: wrong SQL to mend, and SQL in other forms to read. ``teacher`` is
    the address of a model that adds wordings and questions, empty for none, ``teacher_model`` its
    name there, ``teacher_budget`` the most requests of a run; its key stands in the environment
    alone (``DBT_T2S_TEACHER_KEY``). ``log`` is where questions are kept: ``project``
    (true) in its folder ``.t2s``, ``warehouse`` in the tables of the macros as well; empty (false)
    where they are not. Of the models that were trained the last ``keep_models`` are kept.

    ``fiscal_year_start`` is the month in which fiscal years begin, None where the project says it,
    ``fiscal_year_named`` whether fiscal 2024 is the one that ends or the one that starts in 2024.
    """

    as_of: str = ""
    seed: int = 0
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    base: str = "embedded"
    method: str = "lora"
    schema_context: str = "retrieved"
    answers: str = "sql"
    minutes: float | None = None
    max_examples: int | None = None
    questions: str = ""
    fail_under: float | None = None
    row_limit: int = 1_000
    refuse_under: float | None = None
    profile_rows: int = PROFILE_ROWS
    personal: tuple[str, ...] = PERSONAL
    query_log: str = ""
    packages: tuple[str, ...] = PACKAGES
    log_schema: str = ""
    suites: tuple[str, ...] = ()
    fail_under_type: tuple[tuple[str, float], ...] = ()
    fail_on_regression: bool = False
    fail_on: tuple[str, ...] = ("breaking",)
    accept: tuple[str, ...] = ()
    style: StyleRules = field(default_factory=StyleRules)
    recovery: float = 0.1
    reading: float = 0.05
    teacher: str = ""
    teacher_model: str = ""
    teacher_budget: int = 500
    log: str = IN_PROJECT
    keep_models: int = 5
    fiscal_year_start: int | None = None
    fiscal_year_named: str = YEAR_NAMED[0]

    @property
    def budget(self) -> float:
        """Minutes of training. The embedded model learns what a corpus has to teach it in one."""
        if self.minutes is not None:
            return self.minutes
        return 1.0 if self.base == "embedded" else 2.0

    def questions_path(self, project_dir: Path) -> Path | None:
        """The business test set, or None when none was named and none lies in the usual place."""
        if self.questions:
            return project_dir / self.questions
        usual = project_dir / QUESTIONS
        return usual if usual.exists() else None

    def fiscal_year(self) -> FiscalYear | None:
        """The fiscal year as it is set here; None leaves it to what the project says."""
        if self.fiscal_year_start is None:
            return None
        return FiscalYear(self.fiscal_year_start, self.fiscal_year_named, "fiscal_year_start")


def load_settings(
    project_dir: Path, environ: Mapping[str, str], flags: Mapping[str, object] | None = None
) -> Settings:
    """Reads the settings of the project in ``project_dir``; flags that are None were not given."""
    settings = Settings()
    for where, values in _project_layers(project_dir / "dbt_project.yml"):
        settings = _apply(settings, values, where)
    settings = _apply(settings, _environment(environ), "environment", spell=_env_name)
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    return _apply(settings, given, "command line", spell=_flag_name)


def known_keys() -> tuple[str, ...]:
    """The names of all settings."""
    return tuple(each.name for each in fields(Settings))


def read_project_file(path: Path) -> dict[str, Any]:
    """The content of a dbt_project.yml."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProjectError(
            f"there is no dbt project in {path.parent.resolve()}",
            where=str(path),
            hint="go to the folder that holds dbt_project.yml, or name it with --project-dir",
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProjectError(
            f"dbt_project.yml cannot be read: {_first_line(error)}",
            where=str(path),
            hint="mend the file until `dbt parse` passes",
        ) from error
    if not isinstance(content, dict):
        raise ProjectError(
            "dbt_project.yml is empty or not a mapping",
            where=str(path),
            hint="mend the file until `dbt parse` passes",
        )
    return content


def _project_layers(path: Path) -> list[tuple[str, Mapping[str, object]]]:
    """The settings blocks of a project: ``vars: t2s:`` and ``vars: <project>: t2s:``."""
    content = read_project_file(path)
    variables = content.get("vars") or {}
    if not isinstance(variables, Mapping):
        return []
    layers = []
    own = variables.get(content.get("name"))
    for trail, holder in (("", variables), (f"{content.get('name')}.", own)):
        block = holder.get(VARS_KEY) if isinstance(holder, Mapping) else None
        if block is None:
            continue
        where = f"{path}, vars.{trail}{VARS_KEY}"
        if not isinstance(block, Mapping):
            raise UsageError(
                f"the settings block should be a mapping, not {_shown(block)}",
                where=where,
                hint=_known_hint(),
            )
        layers.append((where, block))
    return layers


def _environment(environ: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in environ.items():
        if name.startswith(ENV_PREFIX) and name.removeprefix(ENV_PREFIX) not in ENV_SWITCHES:
            found[name.removeprefix(ENV_PREFIX).lower()] = value
    return found


def _apply(
    settings: Settings,
    values: Mapping[str, object],
    where: str,
    spell: Callable[[str], str] = str,
) -> Settings:
    changes: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _READERS:
            raise _unknown(str(key), where, spell)
        try:
            changes[key] = _READERS[key](value)
        except ValueError as error:
            raise UsageError(
                f"{spell(key)} {error}, not {_shown(value)}",
                where=where,
                hint=f"correct {spell(key)}, then run the same command again",
            ) from error
    return replace(settings, **changes)


def _unknown(key: str, where: str, spell: Callable[[str], str]) -> UsageError:
    near = difflib.get_close_matches(key, known_keys(), n=1, cutoff=0.6)
    guess = f"; did you mean {spell(near[0])}?" if near else ""
    return UsageError(f"unknown setting {spell(key)}{guess}", where=where, hint=_known_hint())


def _known_hint() -> str:
    return f"use one of: {', '.join(known_keys())}"


def _env_name(key: str) -> str:
    return f"{ENV_PREFIX}{key.upper()}"


def _flag_name(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("should be text")
    return value.strip()


def _day(value: object) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()  # YAML reads a bare 2025-06-30 as a date
    if value == "":
        return ""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise ValueError("should be a day like 2025-06-30") from error


def _whole(least: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        message = f"should be a whole number of {least} or more"
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(message)
        try:
            number = int(value)
        except ValueError as error:
            raise ValueError(message) from error
        if not least <= number < 2**63:
            raise ValueError(message)
        return number

    return read


def _number(least: float, most: float, what: str) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(what)
        try:
            number = float(value)
        except ValueError as error:
            raise ValueError(what) from error
        if not least <= number <= most:  # also false for NaN
            raise ValueError(what)
        return number

    return read


def _optional(read: Callable[[object], float]) -> Callable[[object], float | None]:
    return lambda value: None if value is None or value == "" else read(value)


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())  # dbt's own way of writing several selectors
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise ValueError("should be a selector or a list of them")


def _one_of(known: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in known:
            raise ValueError(f"should be one of {', '.join(known)}")
        return str(value)

    return read


def _known_suites(value: object) -> tuple[str, ...]:
    found = _texts(value)
    if not set(found) <= set(SUITES):
        raise ValueError(f"should be some of {', '.join(SUITES)}")
    return found


def _month(value: object) -> int | None:
    return None if value is None or value == "" else month_of(value)


def _year_named(value: object) -> str:
    if value not in YEAR_NAMED:
        raise ValueError(f"should be {' or '.join(YEAR_NAMED)}")
    return str(value)


def _failing(value: object) -> tuple[str, ...]:
    found = _texts(value)
    if not set(found) <= set(FAIL_ON):
        raise ValueError(f"should be some of {', '.join(FAIL_ON)}")
    return found


def _findings(value: object) -> tuple[str, ...]:
    """Codes, or codes with what they are about: in the environment a comma stands between."""
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        raise ValueError("should be a list of findings such as T2S703")
    return tuple(" ".join(each.split()) for each in found if each.strip())


def _truth(value: object) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False, "": False}
    found = words.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise ValueError("should be true or false")
    return found


def _kept_in(value: object) -> str:
    """``warehouse``; true is the project's own folder, false is nowhere."""
    if value in (IN_PROJECT, IN_WAREHOUSE):
        return str(value)
    try:
        return IN_PROJECT if _truth(value) else ""
    except ValueError as error:
        raise ValueError(f"should be true, false or {IN_WAREHOUSE}") from error


def _floors(value: object) -> tuple[tuple[str, float], ...]:
    """A mapping of types to shares, or a list (in the environment: a comma) of ``type=share``."""
    if isinstance(value, Mapping):
        pairs = [(str(name), share) for name, share in value.items()]
    else:
        texts = value.split(",") if isinstance(value, str) else value
        if not isinstance(texts, list | tuple) or not all("=" in str(each) for each in texts):
            raise ValueError("should be like metric=0.9")
        pairs = [(name, share) for name, _, share in (str(each).rpartition("=") for each in texts)]
    return tuple((name.strip(), _SHARE(share)) for name, share in pairs)


def _style(value: object) -> StyleRules:
    """In the environment the mapping is written as YAML: ``{naming: false}``."""
    try:
        return read_style(yaml.safe_load(value) if isinstance(value, str) else value)
    except yaml.YAMLError as error:
        raise ValueError("should be a mapping") from error


_SHARE = _number(0.0, 1.0, "should be a share from 0 to 1")

_READERS: dict[str, Callable[[object], Any]] = {
    "as_of": _day,
    "seed": _whole(0),
    "select": _texts,
    "exclude": _texts,
    "base": _text,
    "method": _one_of(METHODS),
    "schema_context": _one_of(CONTEXTS),
    "answers": _one_of(ANSWERS),
    "minutes": _optional(_number(0.01, 60 * 24 * 7, "should be a number of minutes above 0")),
    "max_examples": _optional(_whole(100)),
    "questions": _text,
    "fail_under": _optional(_SHARE),
    "row_limit": _whole(1),
    "refuse_under": _optional(_SHARE),
    "profile_rows": _whole(1),
    "personal": lambda value: tuple(mark.lower() for mark in _texts(value)),
    "query_log": _text,
    "log_schema": _text,
    "packages": _texts,
    "suites": _known_suites,
    "fail_under_type": _floors,
    "fail_on_regression": _truth,
    "fail_on": _failing,
    "accept": _findings,
    "style": _style,
    "recovery": _SHARE,
    "reading": _SHARE,
    "teacher": _text,
    "teacher_model": _text,
    "teacher_budget": _whole(0),
    "log": _kept_in,
    "keep_models": _whole(1),
    "fiscal_year_start": _month,
    "fiscal_year_named": _year_named,
}


SETTINGS_BLOCK = (
    "t2s:  # settings of dbt-t2s; all of them: README of dbt-t2s",
    "  seed: 0",
)


def with_settings_block(text: str) -> str | None:
    """The text of a dbt_project.yml with a settings block added; None if there is one already.

    Comments and layout stay as they are. UsageError if the file is laid out so that a block
    cannot be added without rewriting it.
    """
    before = yaml.safe_load(text)
    if VARS_KEY in (before.get("vars") or {}):
        return None
    lines = text.rstrip("\n").splitlines()
    start = next((i for i, line in enumerate(lines) if line.rstrip().startswith("vars:")), None)
    if start is None:
        lines += ["", "vars:", *(f"  {line}" for line in SETTINGS_BLOCK)]
    else:
        indent = _indent_below(lines, start)
        lines[start + 1 : start + 1] = [f"{indent}{line}" for line in SETTINGS_BLOCK]
    after = "\n".join(lines) + "\n"
    expected = {**(before.get("vars") or {}), VARS_KEY: {"seed": 0}}
    try:
        added = yaml.safe_load(after)
    except yaml.YAMLError:
        added = None
    if added != {**before, "vars": expected}:
        raise UsageError(
            "the settings block cannot be added to this layout of `vars`",
            where="dbt_project.yml",
            hint="write `vars:` as a block and add `t2s: {seed: 0}` to it by hand",
        )
    return after


def _indent_below(lines: list[str], start: int) -> str:
    """How far the first entry under ``lines[start]`` is indented; two spaces if there is none."""
    for line in lines[start + 1 :]:
        if line.strip() and not line.lstrip().startswith("#"):
            width = len(line) - len(line.lstrip())
            return " " * (width or 2)
    return "  "
