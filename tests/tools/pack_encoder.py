"""Pack all-MiniLM-L6-v2 for shipping: no pooler, 256 positions, words in int8, the rest in fp16.

    python -m tests.tools.pack_encoder MODEL_DIR dbt_t2s/model/weights/encoder

MODEL_DIR holds the official ``model.safetensors``, ``config.json`` and ``tokenizer.json``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from dbt_t2s.model.quantized import SCALE, as_bytes

OFFICIAL = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
POSITIONS = 256


def pack(source: Path, target: Path) -> None:
    """Write ``model.safetensors``, ``config.json``, ``tokenizer.json`` and ``SHA256SUMS``."""
    given = source / "model.safetensors"
    if hashlib.sha256(given.read_bytes()).hexdigest() != OFFICIAL:
        raise SystemExit(f"{given} is not the official file")
    weights = {}
    for name, value in load_file(given).items():
        if "pooler" in name or name.endswith(("position_ids", "token_type_ids")):
            continue
        kept = value[:POSITIONS] if "position_embeddings" in name else value
        weights[name] = kept.to(torch.float16).contiguous()
        if "word_embeddings" in name:
            weights[name], weights[name + SCALE] = as_bytes(weights[name].float())
    target.mkdir(parents=True, exist_ok=True)
    save_file(weights, target / "model.safetensors", metadata={"format": "pt", "source": OFFICIAL})
    config = json.loads((source / "config.json").read_text())
    config["max_position_embeddings"] = POSITIONS
    (target / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    (target / "tokenizer.json").write_text((source / "tokenizer.json").read_text())
    digest = hashlib.sha256((target / "model.safetensors").read_bytes()).hexdigest()
    (target / "SHA256SUMS").write_text(f"{digest}  model.safetensors\n")


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]))
