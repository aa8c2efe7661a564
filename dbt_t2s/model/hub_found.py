"""Where a base model lies: in a folder, on a hub, or behind an adapter that was trained on it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import errors as hub

from dbt_t2s.errors import ModelError

RECORD = "hub.json"
ADAPTER = "adapter"
TOKENIZER = "tokenizer"
WEIGHTS = "weights"
_MENDED = (
    "put a whole model there, as save_pretrained() of transformers 5 writes it (config.json, "
    "*.safetensors, tokenizer files) or `hf download` gets it; or pass another --base"
)
_SAMPLED = 64 << 10
_SAMPLES = 16


@dataclass(frozen=True)
class Found:
    """``name`` is a folder or a hub id, ``revision`` a commit, tag or branch of the latter.

    ``adapter`` is the folder of an adapter to go on from and ``tokenizer`` that of the tokenizer
    it was trained with, empty where there is none. ``stamp`` tells the weights that the adapter
    was trained on from others, empty where nobody wrote it down.
    """

    name: str
    revision: str = ""
    adapter: str = ""
    tokenizer: str = ""
    stamp: str = ""

    @property
    def folder(self) -> Path | None:
        """The base model's folder, None for one of a hub."""
        path = Path(self.name)
        return path if path.is_dir() else None


def find_base(base: str) -> Found:
    """The base that a folder, a hub id (``org/name@revision``), a model trained here or a peft
    adapter names; ModelError where that cannot be loaded safely."""
    found = _found(base)
    folder = found.folder
    if folder is not None:
        if not any(folder.glob("*.safetensors")):
            raise ModelError(
                "the base model has no .safetensors weights; other formats can run code and are "
                "not loaded",
                where=found.name,
                hint="save it again with save_pretrained() of transformers 5, or pass another "
                "--base",
            )
        if found.stamp and found.stamp != weights_stamp(folder):
            raise ModelError(
                "the adapter was trained on another base model than the one that lies there now",
                where=f"{found.adapter} on {found.name}",
                hint=f"put the former weights back, or train again: --base {found.name}",
            )
    elif found.adapter and _is_path(found.name):
        raise ModelError(
            "the base model that the adapter was trained on is not there any more",
            where=f"{found.adapter} on {found.name}",
            hint="put it back there, or train again: dbt-t2s train --base <model>",
        )
    elif _is_path(found.name):
        raise ModelError(
            "the base model's folder does not exist",
            where=found.name,
            hint=how_to_get("<model id>"),
        )
    return found


def _is_path(name: str) -> bool:
    """Whether a base that is no folder was meant as one, and not as the id of a hub."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name


def _found(base: str) -> Found:
    folder = Path(base).expanduser()
    ours, theirs = folder / RECORD, folder / "adapter_config.json"
    try:
        if ours.is_file():
            record = json.loads(ours.read_text("utf-8"))
            words = str(folder / TOKENIZER)
            if (folder / WEIGHTS).is_dir():
                return Found(str((folder / WEIGHTS).resolve()), tokenizer=words)
            name, revision = str(record["base"]), str(record.get("revision", ""))
            return Found(name, revision, str(folder / ADAPTER), words, str(record.get("stamp", "")))
        if theirs.is_file():
            record = json.loads(theirs.read_text("utf-8"))
            name = str(record["base_model_name_or_path"])
            return Found(name, str(record.get("revision") or ""), str(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            "the adapter does not say which base model it belongs to",
            where=base,
            hint="train again with --base <model folder or hub id>",
        ) from error
    if folder.is_dir():
        return Found(str(folder.resolve()))
    name, _, revision = base.partition("@")
    return Found(name, revision)


def weights_stamp(folder: Path) -> str:
    """What tells a folder's weights from others: names, sizes, headers and samples of the files,
    as reading gigabytes to ask one question would take too long."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}".encode())
        with path.open("rb") as file:
            for sample in range(_SAMPLES):
                file.seek(max(size - _SAMPLED, 0) * sample // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLED))
    return digest.hexdigest()


def how_to_get(name: str) -> str:
    return (
        f"run `hf download {name}` where there is a network and pass the folder it prints as "
        "--base, or train the model that comes with this package: --base embedded"
    )


def unloadable(error: BaseException, found: Found) -> ModelError:
    """Why a base could not be loaded, as its user can act on it."""
    where = f"{found.name}@{found.revision}" if found.revision else found.name
    for cause in _causes(error):
        if isinstance(cause, hub.GatedRepoError):
            return ModelError(
                "the base model is gated: its owner wants its licence accepted first",
                where=where,
                hint=f"accept it on the model's page and log in with `hf auth login`; then "
                f"{how_to_get(found.name)}",
            )
        if isinstance(cause, hub.RevisionNotFoundError):
            return ModelError(
                f"the base model has no revision {found.revision or 'main'}",
                where=where,
                hint="name a commit, tag or branch of it: --base org/name@revision",
            )
        if isinstance(cause, hub.RepositoryNotFoundError):
            return ModelError(
                "there is no such model on the hub, or it is private",
                where=where,
                hint="check the id (org/name); for a private one log in with `hf auth login`",
            )
        if isinstance(cause, hub.LocalEntryNotFoundError | hub.OfflineModeIsEnabled):
            return ModelError(
                "the base model could not be loaded: it is not on this machine and no hub can be "
                "reached",
                where=where,
                hint=how_to_get(found.name),
            )
    # Some errors tell what they are about in their first line and what is wrong in the next.
    told = " ".join(str(error).split())[:300] or type(error).__name__
    return ModelError(
        f"the base model could not be loaded: {told}",
        where=where,
        hint=_MENDED if found.folder else how_to_get(found.name),
    )


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and step not in chain:
        chain.append(step)
        step = step.__cause__ or step.__context__
    return chain
