"""The verb ``feedback``: what people say of answers is looked at, and kept."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.answers import TRAIN, keeper_of, read_instances
from dbt_t2s.console import Console
from dbt_t2s.delivering import Courier
from dbt_t2s.errors import ServeError, UsageError
from dbt_t2s.instances import Instances, readable
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.pipeline import COMPARED_ROWS
from dbt_t2s.project.schema import ProjectSchema
from dbt_t2s.serve.ask import clean
from dbt_t2s.serve.feedback import Statement, read_statements, said_as, weighed
from dbt_t2s.serve.keeping import Keeper
from dbt_t2s.serve.log import Asked, QuestionLog, Said
from dbt_t2s.workspace import Workspace

USAGE = 'dbt-t2s feedback right, or dbt-t2s feedback wrong --sql "select …"'
_SHORT = 8


def given(
    verdict: str | None,
    *,
    sql: str | None,
    log_id: str | None,
    question: str | None,
    note: str | None,
    file: Path | None,
    skip: bool = False,
) -> tuple[Statement, ...]:
    """What the command line says; UsageError where that is two things at once, or nothing."""
    single = (verdict, sql, log_id, question, note)
    if file is not None:
        if any(each is not None for each in single):
            raise UsageError("--file says it all", where="dbt-t2s feedback", hint=USAGE)
        return read_statements(file)
    if skip:
        raise UsageError("--skip-refused is for --file", where="dbt-t2s feedback", hint=USAGE)
    if not verdict and not sql:
        raise UsageError("say what you think of the answer", where="dbt-t2s feedback", hint=USAGE)
    asked = clean(question) if question else ""
    rest = Statement("", (log_id or "").strip(), asked, note=(note or "").strip())
    return (said_as(verdict or "", (sql or "").strip(), rest),)


@dataclass(frozen=True)
class Lines:
    """What came of the ``count`` lines of a file: those kept, and why others are not."""

    kept: tuple[Said, ...]
    refused: tuple[ServeError, ...]
    count: int


@dataclass(frozen=True)
class Hearing:
    """What feedback is looked at with; ``hearing`` opens one."""

    dialect: str
    sandbox: Sandbox
    keeper: Keeper

    def hear(
        self, statements: Sequence[Statement], *, person: str | None, instead: bool
    ) -> tuple[Said, ...]:
        """Keeps all of the statements, or, where one cannot be, none: ServeError says why."""
        found, refused = self._weigh(statements, person, instead)
        if refused:
            raise refused[0]
        return self._keep(found)

    def hear_lines(
        self, statements: Sequence[Statement], *, person: str | None, instead: bool, skip: bool
    ) -> Lines:
        """Keeps the lines of a file: all of them, or, where some cannot be, the others if these are
        to be skipped, else none."""
        found, refused = self._weigh(statements, person, instead)
        kept = () if refused and not skip else self._keep(found)
        return Lines(kept, tuple(refused), len(statements))

    def _weigh(
        self, statements: Sequence[Statement], person: str | None, instead: bool
    ) -> tuple[list[Said], list[ServeError]]:
        """What can be kept, and why the rest cannot be."""
        earlier = list(self.keeper.log.said())
        found: list[Said] = []
        refused: list[ServeError] = []
        for statement in statements:
            try:
                said = self._said(statement, earlier, person, instead)
            except ServeError as error:
                refused.append(error)
                continue
            found.append(said)
            earlier.insert(0, said)  # the lines of one file may contradict each other
        return found, refused

    def _said(
        self, statement: Statement, earlier: Sequence[Said], person: str | None, instead: bool
    ) -> Said:
        of = question_of(self.keeper.log, statement)
        run = self.sandbox.execute_each
        sql = weighed(of, statement, run, self.dialect, earlier, instead=instead)
        by = person if person is not None else _user()
        return self.keeper.said_of(of, statement.verdict, sql, statement.note, by)

    def _keep(self, found: Sequence[Said]) -> tuple[Said, ...]:
        kept = tuple(self.keeper.say(each) for each in found)
        self.keeper.log.fold_if_free()
        return kept


@contextmanager
def hearing(workspace: Workspace) -> Iterator[Hearing]:
    """Opens the log, and the instances that corrections are run on."""
    schema = store.read_json(workspace.schema_path, ProjectSchema, hint=TRAIN)
    instances = read_instances(workspace)
    with all_instances(workspace, schema, instances) as sandbox:
        look = None if instances.made_up else sandbox.execute_trusted
        yield Hearing(schema.dialect, sandbox, keeper_of(workspace, schema, look))
    Courier(workspace).nudge(now=True)


def hear(
    workspace: Workspace, statements: Sequence[Statement], *, person: str | None, instead: bool
) -> tuple[Said, ...]:
    """``Hearing.hear`` of a hearing for these statements alone."""
    with hearing(workspace) as opened:
        return opened.hear(statements, person=person, instead=instead)


def hear_lines(
    workspace: Workspace,
    statements: Sequence[Statement],
    *,
    person: str | None,
    instead: bool,
    skip: bool,
) -> Lines:
    """``Hearing.hear_lines`` of a hearing for these lines alone."""
    with hearing(workspace) as opened:
        return opened.hear_lines(statements, person=person, instead=instead, skip=skip)


@contextmanager
def all_instances(
    workspace: Workspace, schema: ProjectSchema, instances: Instances
) -> Iterator[Sandbox]:
    """Where a correction is run: on every instance of the warehouse."""
    first, *others = (workspace.warehouse_dir / file for file in instances.files)
    others = [each for each in others if each.exists()]
    limits = Limits(max_rows=COMPARED_ROWS)
    relations = readable(schema, instances)
    with Sandbox(first, relations, schema.dialect, limits, others=others) as sandbox:
        yield sandbox


def question_of(log: QuestionLog, statement: Statement) -> Asked:
    """The question that a statement is about; ServeError where it was never asked."""
    if statement.log_id:
        found = log.find(statement.log_id)
        if len(found) > 1 and found[0].id != statement.log_id:
            raise _unknown(
                f"several questions have ids that begin with {statement.log_id}", statement
            )
        if not found:
            raise _unknown(f"no question has the id {statement.log_id}", statement)
        return found[0]
    if statement.question:
        last = log.last_asked(statement.question)
        if last is None:
            raise _unknown(f"{statement.question[:80]!r} was never asked here", statement)
        return last
    newest = log.asked(1)
    if not newest:
        raise _unknown("no question was asked here yet", statement)
    return newest[0]


def _unknown(what: str, statement: Statement) -> ServeError:
    return ServeError(
        what,
        where=statement.where or "dbt-t2s feedback",
        hint="`dbt-t2s feedback --list 20` shows the last questions (log: false keeps none)",
    )


def _user() -> str:
    """Who runs this; empty where the system has no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def tell(console: Console, kept: Sequence[Said], *, json: bool) -> None:
    """What was kept, a line each."""
    for said in kept:
        if json:
            console.json(said.__dict__)
            continue
        how = ", with the right SQL" if said.corrected_sql else ""
        by = f" by {said.person}" if said.person else ""
        console.print(
            f"kept: {said.verdict}{how}{by}, of {said.question!r} ({said.log_id[:_SHORT]})"
        )


def tell_lines(console: Console, lines: Lines, *, json: bool) -> None:
    """What was kept and what was not; ServeError where that is why nothing was."""
    tell(console, lines.kept, json=json)
    if not lines.refused:
        return
    if len(lines.refused) == lines.count == 1:
        raise lines.refused[0]
    for each in lines.refused:
        console.warn(each.what, each.where, each.hint)
    told = f"{len(lines.refused)} of {lines.count} lines cannot be kept"
    if lines.kept:
        console.warn(f"{told}; the others are")
        return
    raise ServeError(
        f"{told}, so none is",
        where="dbt-t2s feedback --file",
        hint="mend them, or keep the others with --skip-refused",
    )


def show_last(workspace: Workspace, count: int, *, json: bool) -> None:
    """The last questions with what was said of them, the newest last."""
    log = QuestionLog(workspace.project.root)
    asked = log.asked(count)[::-1]
    verdicts: dict[str, str] = {}
    for said in log.said():
        verdicts.setdefault(said.log_id, said.verdict)
    if json:
        for one in asked:
            workspace.console.json({**one.__dict__, "verdict": verdicts.get(one.id, "")})
        return
    rows = [
        (one.id[:_SHORT], one.logged_at[:16].replace("T", " "), one.question, one.status,
         one.confidence, verdicts.get(one.id, ""))
        for one in asked
    ]  # fmt: skip
    columns = ("id", "asked (UTC)", "question", "status", "confidence", "verdict")
    workspace.console.table(columns, rows, limit=count)
