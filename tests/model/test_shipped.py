"""What the package ships is what a model was trained from: other weights, another model."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Never

import pytest

from dbt_t2s import pipeline, validation
from dbt_t2s.console import Console
from dbt_t2s.model import shipped
from dbt_t2s.workspace import Workspace, open_workspace


class Begun(Exception):
    """Raised in place of the work that is to begin."""


def begin(*_: object, **__: object) -> Never:
    raise Begun


def opened(folder: Path) -> tuple[Workspace, io.StringIO]:
    said = io.StringIO()
    console = Console(out=io.StringIO(), err=said)
    flags = {"minutes": 0.2, "max_examples": 300}
    return open_workspace(console, project_dir=folder, profiles_dir=folder, flags=flags), said


def test_a_stamp_is_of_the_content_of_the_files_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(shipped.FOLDER, tmp_path / "plan"))
    whole = shipped.stamp(shipped.ASKED_WITH)
    monkeypatch.setattr(shipped, "FOLDER", copy)
    shipped.stamp.cache_clear()
    assert shipped.stamp(shipped.ASKED_WITH) == whole
    assert shipped.stamp(shipped.READER) != whole
    (copy / "ranking.safetensors").write_bytes(b"another")
    shipped.stamp.cache_clear()
    changed = shipped.stamp(shipped.ASKED_WITH)
    (copy / "ranking.safetensors").unlink()
    shipped.stamp.cache_clear()
    assert len({whole, changed, shipped.stamp(shipped.ASKED_WITH)}) == 3
    shipped.stamp.cache_clear()


@pytest.mark.parametrize(
    ("stage", "names", "work"),
    [
        (pipeline.train, shipped.LEARNED_FROM, "dbt_t2s.model.train.train"),
        (validation.validate_model, shipped.ASKED_WITH, "dbt_t2s.validation._judged"),
    ],
)
def test_other_weights_make_what_was_made_with_them_stale(
    trained_shop_copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: Callable[[Workspace], object],
    names: tuple[str, ...],
    work: str,
) -> None:
    stamp = shipped.stamp
    monkeypatch.setattr(work, begin)
    space, said = opened(trained_shop_copy)
    stage(space)
    assert "up to date" in said.getvalue()
    monkeypatch.setattr(shipped, "stamp", lambda each: "new" if each == names else stamp(each))
    with pytest.raises(Begun):
        stage(space)
