"""The house stands as the design says: rooms in order, one importer per door, light at the door."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import dbt_t2s

PACKAGE = Path(dbt_t2s.__file__).parent
ROOMS = ("project", "query", "corpus", "model", "judge", "serve")

# Files at the top that every room may use; they themselves use only each other and the schema.
SHARED = {"errors", "store", "codec", "sql", "skeletons", "duck"}
EDGES = {
    "cli", "arguments", "pipeline", "answers", "validation", "instances", "freshness", "drawing",
    "reviewing", "lessons", "logged", "check", "show", "workspace", "config", "console", "__main__",
    "verbs", "hearing", "explaining", "conversation", "prompting", "web", "agents", "current",
    "hub_training", "exporting", "dialogue_suites", "suites", "reporting", "delivering", "learning",
    "agreement", "predicting", "distilling",
}  # fmt: skip

# Each heavy library and the files through which it comes in.
DOORS = {
    "dbt": ("project/dbt_child.py",),
    "metricflow": ("project/metrics.py",),
    "metricflow_semantics": ("project/metrics.py",),
    "metricflow_semantic_interfaces": ("project/metrics.py",),
    "sqlglot": ("sql.py",),
    "duckdb": ("duck.py",),
    "datasets": ("corpus/dataset.py",),
    "torch": ("model/",),
    "transformers": ("model/",),
    "tokenizers": ("model/",),
    "safetensors": ("model/",),
    "huggingface_hub": ("model/",),
    "peft": ("model/",),
    "llguidance": ("model/",),
    "bitsandbytes": ("model/",),
    "gguf": ("model/",),
    "rich": ("console.py",),
    "prompt_toolkit": ("prompting.py",),
    "starlette": ("web/app.py",),
    "anyio": ("web/app.py",),
    "uvicorn": ("web/server.py",),
    "mcp": ("agents.py",),
    "typer": ("cli.py", "verbs.py", "learning/verbs.py"),
    "pyarrow": ("store.py",),
}
HEAVY = sorted({*DOORS, "pandas", "numpy", "yaml", "jinja2"} - {"typer"})

FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path, *, lazy: bool) -> Iterator[str]:
    """The modules that a file imports: on loading, or also when a function of it runs.

    What is imported for type checkers alone is no import.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not lazy:
            continue
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            pending += list(ast.iter_child_nodes(node))


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def module_of(path: Path) -> str:
    parts = [*path.relative_to(PACKAGE.parent).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def own_imports(path: Path, *, lazy: bool) -> set[str]:
    return {name for name in imports(path, lazy=lazy) if name in MODULES} - {"dbt_t2s"}


@pytest.mark.parametrize("path", FILES, ids=place)
def test_heavy_libraries_come_in_through_their_door(path: Path) -> None:
    for name in imports(path, lazy=True):
        doors = DOORS.get(name.partition(".")[0])
        if doors is not None:
            assert place(path).startswith(doors), f"{name} is imported by {place(path)}"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_rooms_use_earlier_rooms_only(path: Path) -> None:
    room = place(path).partition("/")[0].removesuffix(".py")
    for name in own_imports(path, lazy=True):
        used = name.split(".")[1]
        if room in SHARED:
            assert used in SHARED or name == "dbt_t2s.project.schema", f"{place(path)} uses {name}"
        elif room in ROOMS:
            assert used not in EDGES, f"{place(path)} uses {name}"
            if used in ROOMS:
                assert ROOMS.index(used) <= ROOMS.index(room), f"{place(path)} uses {name}"


def test_every_file_belongs_to_a_room_or_is_named_here() -> None:
    for path in FILES:
        top = place(path).partition("/")[0].removesuffix(".py")
        assert top in {*ROOMS, *SHARED, *EDGES, "__init__"}, f"what is {place(path)}?"


def test_no_import_cycle() -> None:
    graph = {name: own_imports(path, lazy=False) - {name} for name, path in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for used in graph[name]:
                visit(used, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_the_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, dbt_t2s.cli; print([m for m in {HEAVY} if m in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.strip() == "[]"


# Declared, though nothing of ours imports them, and why.
USED_BY_OTHERS = {
    "dbt-duckdb": "dbt's adapter for the warehouse that SQL is checked on",
    "safetensors": "how torch and transformers read and write weights",
}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    users = [each for name, found in extras.items() if name != "dev" for each in found]
    declared = {
        re.split(r"[<>=\[ ]", each, maxsplit=1)[0].lower()
        for each in [*project["project"]["dependencies"], *users]
    }
    of_module = packages_distributions()
    # A module may come from several distributions, as dbt's namespace does.
    imported = [
        {each.lower().replace("_", "-") for each in of_module[top]}
        for path in FILES
        for top in {name.partition(".")[0] for name in imports(path, lazy=True)}
        if top in of_module and top != "dbt_t2s"
    ]
    assert [each for each in imported if not each & declared] == []
    assert declared - set().union(*imported) - set(USED_BY_OTHERS) == set()


def test_everything_that_is_declared_is_pinned_for_our_own_set_up() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    pins = (PACKAGE.parent / "constraints.txt").read_text(encoding="utf-8").lower()
    extras = project["project"]["optional-dependencies"]
    for each in [
        *project["project"]["dependencies"],
        *extras["dev"],
        *extras["serve"],
        *extras["mcp"],
    ]:
        name = re.split(r"[<>=\[ ]", each, maxsplit=1)[0].lower()
        assert re.search(rf"^{re.escape(name)}==", pins.replace("_", "-"), re.MULTILINE), name


def test_files_and_functions_stay_readable() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 500, f"{place(path)} is too long"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or 0) - node.lineno
                assert length <= 80, f"{node.name} in {place(path)} is too long"


def test_every_module_says_what_it_is() -> None:
    for path in FILES:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), place(path)
