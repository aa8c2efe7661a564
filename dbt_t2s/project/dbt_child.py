"""The process in which dbt runs: one command, or a warm one that runs macros when told to.

``once FILE ARGUMENT…`` runs a command and leaves its answer in the file: macros may print anything.
``serve PARENT ARGUMENT…`` reads the project, says so in a line of JSON and then answers each line
``{"macro": …, "arguments": "YAML"}`` with a line ``{"success": …, "messages": […], "answers":
[…]}``, where answers are the texts that the macro logged behind the marker ``T2S_JSON``. It ends
when its input does, and when its parent is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

MARKER = "T2S_JSON "
_QUIET = ["--quiet", "--log-level", "none", "--no-send-anonymous-usage-stats"]
# What macros say of the data belongs in no log file; what they ran on is another's artifact.
_PRIVATE = [*_QUIET, "--log-level-file", "none", "--no-write-json"]


class _Heard:
    """What dbt says while it runs: its error messages, and the answers of macros."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.answers: list[str] = []

    def listen(self, event: Any) -> None:
        said = event.info.msg.strip()
        if event.info.level == "error" and said:
            self.errors.append(said)
        elif said.startswith(MARKER):
            self.answers.append(said.removeprefix(MARKER))

    def clear(self) -> None:
        self.errors.clear()
        self.answers.clear()


def once(answer: Path, arguments: list[str]) -> None:
    """Run one command and write ``{"success", "messages", "lines"}``."""
    from dbt.cli.main import dbtRunner

    heard = _Heard()
    found = dbtRunner(callbacks=[heard.listen]).invoke([*_QUIET, *arguments])
    if found.exception is not None and not heard.errors:
        heard.errors.append(str(found.exception))
    lines = found.result if isinstance(found.result, list) else []
    content = {
        "success": bool(found.success),
        "messages": heard.errors,
        "lines": [line for line in lines if isinstance(line, str)],
    }
    answer.write_text(json.dumps(content), encoding="utf-8")


def serve(parent: int, where: list[str]) -> None:
    """Answer calls until there are no more; ``where`` are the flags that name the project."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # dbt, its adapters and the project's macros may read and print what they like.
    calls, replies = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)

    from dbt.cli.main import dbtRunner

    heard = _Heard()

    def reply(found: Any) -> None:
        if found.exception is not None and not heard.errors:
            heard.errors.append(str(found.exception))
        content = {
            "success": bool(found.success),
            "messages": heard.errors,
            "answers": heard.answers,
        }
        print(json.dumps(content), file=replies, flush=True)
        heard.clear()

    parsed = dbtRunner(callbacks=[heard.listen]).invoke([*_PRIVATE, "parse", *where])
    reply(parsed)
    runner = dbtRunner(manifest=_for_macros(parsed.result), callbacks=[heard.listen])
    for line in calls if parsed.success else ():
        call = json.loads(line)
        operation = ["run-operation", call["macro"], "--args", call["arguments"]]
        reply(runner.invoke([*_PRIVATE, *operation, *where]))


def _for_macros(manifest: Any) -> Any:
    """The manifest without nodes: dbt sorts them anew before each macro, in seconds for thousands.

    Macros read them from ``graph``, which dbt has made of them by now.
    """
    for name in ("nodes", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests"):
        if hasattr(manifest, name):
            setattr(manifest, name, {})
    return manifest


def _end_with(parent: int) -> None:
    """A query may run for hours; nobody waits for it once the parent is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]), sys.argv[3:])
    else:
        once(Path(sys.argv[2]), sys.argv[3:])
