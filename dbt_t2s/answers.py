"""The stage that answers with a trained model. It never runs dbt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dbt_t2s import store
from dbt_t2s.agreement import agreed
from dbt_t2s.current import current_data
from dbt_t2s.delivering import Courier, outbox_of
from dbt_t2s.duck import Execute
from dbt_t2s.errors import ModelError, T2SError, WarehouseError
from dbt_t2s.explaining import Explainer
from dbt_t2s.freshness import content_of
from dbt_t2s.instances import Instances, readable
from dbt_t2s.judge.sandbox import Limits, Sandbox
from dbt_t2s.learning.versions import id_of
from dbt_t2s.model.generate import (
    Agreeing,
    Candidate,
    Followed,
    Follower,
    Generator,
    Mender,
)
from dbt_t2s.model.turns import Turn
from dbt_t2s.pipeline import Trained
from dbt_t2s.project.schema import Issue, ProjectSchema
from dbt_t2s.project.warehouse import open_data
from dbt_t2s.query.fiscal import is_undated
from dbt_t2s.serve.ask import Answer, Follow, Generate, Mend, answer_after, continued
from dbt_t2s.serve.keeping import Keeper
from dbt_t2s.serve.languages import foreign_language
from dbt_t2s.serve.log import QuestionLog
from dbt_t2s.serve.masking import Masker
from dbt_t2s.serve.questions import Question
from dbt_t2s.serve.roads import checked_alone, checked_first
from dbt_t2s.serve.statements import is_statement
from dbt_t2s.workspace import Workspace

TRAIN = "run `dbt-t2s train`"


@dataclass(frozen=True)
class Answerer:
    """A trained model that is loaded, and what its SQL runs on; ``answering`` opens one.

    ``keeper`` is None where no questions are kept; ``missing`` says why no rows are known.
    """

    workspace: Workspace
    schema: ProjectSchema
    generate: Generate
    execute: Execute
    mend: Mend | None = None
    keeper: Keeper | None = None
    missing: str = ""
    explainer: Explainer | None = None
    follow: Follow | None = None
    courier: Courier | None = None

    def ask(self, question: str, before: Sequence[Turn] = ()) -> Answer:
        """The answer to one question, with what it rests on; the log has it, too.

        ``before`` are the answers of the conversation so far, which the question may lean on.
        """
        found = answer_after(question, before, self.generate, self.follow, self.execute, self.mend)
        if self.missing and found.status == "ok":
            found = replace(found, reason=self.missing)
        return self._kept(self.explainer.explain(found) if self.explainer else found)

    def _kept(self, found: Answer) -> Answer:
        """A log that cannot be written is told and keeps nobody from their answer."""
        if self.keeper is None:
            return found
        try:
            kept = self.keeper.keep(found)
            if self.courier is not None:
                self.courier.nudge()
            return kept
        except T2SError as failure:
            self.workspace.console.warn(
                f"the question was not logged: {failure.what}", failure.where, failure.hint
            )
            return found


@contextmanager
def answering(workspace: Workspace) -> Iterator[Answerer]:
    """Loads the model and opens what its SQL runs on."""
    schema, _ = open_trained(workspace)
    limits = Limits(max_rows=workspace.settings.row_limit)
    instances = read_instances(workspace)
    relations = readable(schema, instances)
    data = current_data(workspace, instances)
    path = workspace.warehouse_dir / instances.files[0]
    if data is not None and not instances.made_up:
        path = data
    with (
        Sandbox(path, relations, schema.dialect, limits) as sandbox,
        _road(workspace, schema, instances, sandbox, data) as (execute, missing),
        _keeping(workspace, schema, None if instances.made_up else sandbox) as keeper,
    ):
        model = load_model(workspace, schema)
        let_agree(model, sandbox.execute)
        generate, mend = candidates(workspace, model, schema), mending(model)
        explainer = Explainer(workspace, schema, data)
        follow, courier = following(workspace, model, schema), Courier(workspace)
        yield Answerer(
            workspace,
            schema,
            generate,
            execute,
            mend,
            keeper,
            missing,
            explainer,
            follow,
            courier,
        )
        courier.nudge(now=True)


@contextmanager
def _keeping(
    workspace: Workspace, schema: ProjectSchema, rows: Sandbox | None
) -> Iterator[Keeper | None]:
    """What logs questions, where the settings let it; in the end they are put into the file."""
    if not workspace.settings.log:
        yield None
        return
    keeper = keeper_of(workspace, schema, rows.execute_trusted if rows else None)
    yield keeper
    try:
        keeper.log.fold_if_free()
    except T2SError as failure:
        workspace.console.warn(failure.what, failure.where, failure.hint)


def keeper_of(workspace: Workspace, schema: ProjectSchema, look: Execute | None) -> Keeper:
    """What puts questions into the project's log; ``look`` runs statements on its own rows."""
    log = QuestionLog(workspace.project.root)
    model = model_version(workspace)
    masker, target = Masker(schema, look), workspace.project.target
    return Keeper(log, masker, model, target, outbox_of(workspace))


def model_version(workspace: Workspace) -> str:
    """What tells this model from those before it."""
    return id_of(workspace.model_dir)


def ask(workspace: Workspace, questions: Sequence[Question]) -> Iterator[Answer]:
    """Answers in order, each as soon as it is there; the model is loaded once."""
    talks: list[tuple[Turn, ...]] = []  # the conversation up to each question, itself included
    with answering(workspace) as answerer:
        for question in questions:
            before = () if question.follows is None else talks[question.follows]
            found = answerer.ask(question.text, before)
            talks.append(continued(before, found))
            yield found


@contextmanager
def _road(
    workspace: Workspace,
    schema: ProjectSchema,
    instances: Instances,
    sandbox: Sandbox,
    own: Path | None,
) -> Iterator[tuple[Execute, str]]:
    """How SQL is run for a person, and why its rows are not known where they are not."""
    if not instances.made_up:
        yield sandbox.execute, ""
    elif workspace.project.database is not None:
        with _own_road(schema, instances, sandbox, own) as road:
            yield road
    else:
        workspace.console.info(f"reaching {workspace.project.adapter} through dbt")
        with open_data(workspace.project, workspace.settings.row_limit) as data:
            if isinstance(data, Issue):
                workspace.console.issues([data])
                yield checked_alone(sandbox.execute), "the SQL alone: the warehouse was not asked"
            else:
                yield checked_first(sandbox.execute, data.execute), ""


@contextmanager
def _own_road(
    schema: ProjectSchema, instances: Instances, sandbox: Sandbox, own: Path | None
) -> Iterator[tuple[Execute, str]]:
    """The project's DuckDB file answers, where there is one: some of it may be made up here."""
    if own is None:
        yield checked_alone(sandbox.execute), "the SQL alone: run `dbt build` and train again"
        return
    with Sandbox(own, readable(schema, instances), schema.dialect, sandbox.limits) as real:
        yield checked_first(sandbox.execute, real.execute), ""


def open_trained(workspace: Workspace) -> tuple[ProjectSchema, Trained]:
    """The schema as it is on disk, and what the model was trained with."""
    if not workspace.trained_path.exists():
        raise ModelError(
            "there is no trained model yet", where=str(workspace.model_dir), hint=TRAIN
        )
    trained = store.read_json(workspace.trained_path, Trained, hint=TRAIN)
    schema = store.read_json(workspace.schema_path, ProjectSchema, hint=TRAIN)
    if trained.schema != content_of(workspace.schema_path):
        workspace.console.warn(
            "the schema has changed since the model was trained; it may answer wrongly",
            where=str(workspace.schema_path),
            hint=TRAIN,
        )
    return schema, trained


def load_model(workspace: Workspace, schema: ProjectSchema) -> Generator:
    """The trained model, ready to answer."""
    from dbt_t2s.model.generate import load

    return load(workspace.model_dir, schema)


def candidates(workspace: Workspace, model: Generator, schema: ProjectSchema) -> Generate:
    """The model's candidates; a refusal of what is no question, and of what is under the floor."""
    floor = workspace.settings.refuse_under

    def generate(questions: Sequence[str]) -> list[Sequence[Candidate]]:
        reasons = [_unreadable(each, schema) for each in questions]
        asked = [each for each, why in zip(questions, reasons, strict=True) if not why]
        given = iter(model.generate(asked) if asked else ())
        return [
            (Candidate("", 1.0, why),) if why else _doubted(next(given), floor) for why in reasons
        ]

    return generate


def following(workspace: Workspace, model: Generator, schema: ProjectSchema) -> Follow | None:
    """How the model reads follow-ups; None where it cannot."""
    if not isinstance(model, Follower):
        return None
    floor = workspace.settings.refuse_under

    def follow(question: str, before: Sequence[Turn]) -> Followed:
        if _unreadable(question, schema):
            return Followed("")
        found = model.follow(question, before)
        return replace(found, candidates=_doubted(found.candidates, floor))

    return follow


def let_agree(model: Generator, execute: Execute) -> None:
    """Candidates that give the same rows count as one, where the model is surer of such."""
    if isinstance(model, Agreeing):
        model.agree_by(partial(agreed, execute=execute))


def mending(model: Generator) -> Mend | None:
    """How the model mends SQL that failed, where it was taught to."""
    return model.mend if isinstance(model, Mender) else None


def _unreadable(question: str, schema: ProjectSchema) -> str:
    """Why the text is no question that the model could read; empty when it may be one."""
    if is_statement(question):
        return "this is a SQL statement and not a question"
    if is_undated(question, schema):
        return "nothing says when the fiscal year begins: set fiscal_year_start in vars.t2s"
    language = foreign_language(question)
    return f"questions are read in English; this one is in {language}" if language else ""


def _doubted(candidates: Sequence[Candidate], floor: float | None) -> Sequence[Candidate]:
    if floor is None or not candidates or candidates[0].confidence >= floor:
        return candidates
    confidence = candidates[0].confidence
    reason = f"not sure enough: confidence {confidence:.2f} is under refuse_under {floor:.2f}"
    return (Candidate("", confidence, reason),)


def read_instances(workspace: Workspace) -> Instances:
    """The copies of the warehouse that the model was trained with."""
    instances = store.read_json(workspace.instances_path, Instances, hint=TRAIN)
    path = workspace.warehouse_dir / instances.files[0]
    if not path.exists():
        raise WarehouseError("the copy of the warehouse is gone", where=str(path), hint=TRAIN)
    return instances
