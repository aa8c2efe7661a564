"""A conversation in the terminal: questions, and commands about the last answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dbt_t2s import hearing, show, store
from dbt_t2s.answers import Answerer
from dbt_t2s.config import read_project_file
from dbt_t2s.errors import ServeError, T2SError
from dbt_t2s.model.turns import Turn
from dbt_t2s.serve.ask import Answer, continued
from dbt_t2s.serve.chart import bars
from dbt_t2s.serve.feedback import REFUSE, RIGHT, WRONG, Statement
from dbt_t2s.serve.saving import analysis, check_name
from dbt_t2s.sql import format_sql

PAGE = 20
HELP = {
    "/new": "start anew: the next question leans on nothing said before",
    "/sql": "the SQL of the last answer",
    "/explain": "what it rests on",
    "/more": f"its next {PAGE} rows",
    "/save NAME": "its SQL as an analysis of the dbt project",
    "/right": "say that it is right",
    "/wrong [SQL]": "say that it is wrong, and what would be right",
    "/refuse": "say that the data cannot answer it",
    "/help": "this list",
    "/quit": "the end (also Ctrl-D)",
}
COMMANDS = tuple(each.split()[0] for each in HELP)

# The next line that somebody types; None at the end.
Read = Callable[[], str | None]


class Conversation:
    """One run of questions; what ``/…`` commands are about is the last answer."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._console = answerer.workspace.console
        self._last: Answer | None = None
        self._shown = 0
        self._before: tuple[Turn, ...] = ()

    def hold(self, read: Read) -> None:
        """Takes lines until there are no more; no failure of one ends it."""
        self._console.info("ask in plain words; /help lists what else there is")
        while (line := read()) is not None:
            try:
                if not self.take(line.strip()):
                    return
            except T2SError as failure:
                self._console.error(failure)
            except KeyboardInterrupt:
                self._console.info("stopped; the next question, please")

    def take(self, line: str) -> bool:
        """One line; False where it ends the conversation."""
        command, _, rest = line.partition(" ")
        if not line.startswith("/"):
            if line:
                self._ask(line)
            return True
        if command == "/quit":
            return False
        actions: dict[str, Callable[[str], None]] = {
            "/new": lambda _: self._anew(),
            "/sql": self._sql,
            "/explain": self._explain,
            "/more": self._more,
            "/save": self._save,
            "/right": lambda note: self._say(Statement(RIGHT, note=note)),
            "/wrong": lambda sql: self._say(Statement(WRONG, corrected=sql)),
            "/refuse": lambda note: self._say(Statement(REFUSE, note=note)),
            "/help": lambda _: self._help(),
        }
        if command not in actions:
            raise ServeError(
                f"there is no command {command}",
                where="dbt-t2s ask",
                hint=f"one of {', '.join(COMMANDS)}; or a question without a slash",
            )
        actions[command](rest.strip())
        return True

    def _ask(self, question: str) -> None:
        found = self._answerer.ask(question, self._before)
        self._before = continued(self._before, found)
        self._last, self._shown = found, min(PAGE, len(found.rows))
        show.one_answer(self._console, found, self._answerer.schema.dialect, basis=False)
        for line in bars(found.columns, found.rows):
            self._console.print(line)
        for each in found.assumed:
            self._console.print(f"assumed: {each}")

    def _anew(self) -> None:
        self._before = ()
        self._console.info("a new conversation")

    def _sql(self, _: str) -> None:
        self._console.sql(format_sql(self._answer().sql, self._answerer.schema.dialect))

    def _explain(self, _: str) -> None:
        for line in show.basis_lines(self._answer()):
            self._console.print(line)

    def _more(self, _: str) -> None:
        answer = self._answer()
        rows = answer.rows[self._shown : self._shown + PAGE]
        if not rows:
            self._console.print(f"these were all {len(answer.rows):,} rows")
            return
        self._shown += len(rows)
        self._console.table(answer.columns, rows)
        self._console.print(f"rows up to {self._shown:,} of {len(answer.rows):,}")

    def _save(self, name: str) -> None:
        answer = self._answer()
        root = self._answerer.workspace.project.root
        path = _analyses(root) / f"{check_name(name)}.sql"
        if path.exists():
            raise ServeError(
                f"there is an analysis {name} already", where=str(path), hint="choose another name"
            )
        store.write_text(path, analysis(answer.question, answer.sql, self._answerer.schema))
        self._console.print(f"saved as {path.relative_to(root)}; `dbt compile -s {name}` reads it")

    def _say(self, statement: Statement) -> None:
        if self._last is None:
            raise _nothing_yet()
        if not self._last.id:
            raise ServeError(
                "the question was not kept, so nothing can be said of it",
                where="the settings of dbt-t2s",
                hint="ask with log: true, and without --no-log",
            )
        about = replace(statement, log_id=self._last.id)
        kept = hearing.hear(self._answerer.workspace, (about,), person=None, instead=False)
        hearing.tell(self._console, kept, json=False)

    def _help(self) -> None:
        width = max(map(len, HELP))
        for command, meaning in HELP.items():
            self._console.print(f"{command:<{width}}  {meaning}")

    def _answer(self) -> Answer:
        """The last answer; ServeError where it has no SQL."""
        if self._last is None:
            raise _nothing_yet()
        if not self._last.sql:
            raise ServeError(
                "the last question got no SQL",
                where=f"the question {self._last.question[:80]!r}",
                hint="ask another",
            )
        return self._last


def _nothing_yet() -> ServeError:
    return ServeError("nothing was asked yet", where="dbt-t2s ask", hint="ask a question first")


def _analyses(root: Path) -> Path:
    """Where the project keeps its analyses."""
    named = read_project_file(root / "dbt_project.yml").get("analysis-paths")
    first = named[0] if isinstance(named, list) and named else "analyses"
    return root / str(first)
