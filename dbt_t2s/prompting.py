"""The only importer of prompt_toolkit: the line that somebody types in a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from dbt_t2s.answers import answering
from dbt_t2s.conversation import COMMANDS, Conversation
from dbt_t2s.errors import T2SError
from dbt_t2s.serve.completion import completions, names_of
from dbt_t2s.serve.log import QuestionLog
from dbt_t2s.workspace import Workspace

PROMPT = "? "
# The questions that the arrow keys bring back.
REMEMBERED = 200


class _Names(Completer):
    """The project's names, and at the beginning of a line the commands."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        typed = document.text_before_cursor
        for name, length in completions(typed, COMMANDS if typed.startswith("/") else self._names):
            yield Completion(name, start_position=-length)


class Prompt:
    """Reads lines; ``input`` and ``output`` are the terminal unless they are given."""

    def __init__(
        self,
        names: Sequence[str],
        history: Sequence[str],
        input: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            completer=_Names(names),
            complete_while_typing=False,
            history=InMemoryHistory(list(history)),
            input=input,
            output=output,
        )

    def read(self) -> str | None:
        """The next line, None at the end; what Ctrl-C breaks off is an empty one."""
        try:
            return self._session.prompt()
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return None


def converse(workspace: Workspace) -> None:
    """The verb ``ask`` without a question, on a terminal."""
    with answering(workspace) as answerer:
        prompt = Prompt(names_of(answerer.schema), asked_before(workspace))
        Conversation(answerer).hold(prompt.read)


def asked_before(workspace: Workspace) -> tuple[str, ...]:
    """The last questions, the newest last: those of the log, which holds no personal data."""
    if not workspace.settings.log:
        return ()
    try:
        asked = QuestionLog(workspace.project.root).asked(REMEMBERED)
    except T2SError as failure:
        workspace.console.warn(failure.what, failure.where, failure.hint)
        return ()
    return tuple(each.question for each in reversed(asked))
