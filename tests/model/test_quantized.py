"""Weights as they are shipped and read back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from dbt_t2s.model import quantized


def test_a_matrix_comes_back_within_half_a_step_of_each_row(tmp_path: Path) -> None:
    rows = torch.randn(64, 96) * torch.logspace(-4, 3, 64)[:, None]
    quantized.write(tmp_path / "w", {"rows": rows})
    step = rows.abs().amax(1, keepdim=True) / 127
    assert ((quantized.read(tmp_path / "w")["rows"] - rows).abs() <= 0.5001 * step).all()
    assert load_file(tmp_path / "w")["rows"].dtype is torch.int8


def test_small_things_and_vectors_stay_fp16(tmp_path: Path) -> None:
    given = {"bias": torch.randn(9000), "small": torch.randn(8, 8), "zero": torch.zeros(80, 80)}
    quantized.write(tmp_path / "w", given)
    found = quantized.read(tmp_path / "w")
    assert found.keys() == given.keys()
    assert torch.equal(found["bias"], given["bias"].half().float())
    assert torch.equal(found["small"], given["small"].half().float())
    assert torch.equal(found["zero"], given["zero"])


def test_weights_that_were_never_quantized_are_read_as_they_are(tmp_path: Path) -> None:
    save_file({"plain": torch.ones(90, 90).half()}, tmp_path / "w")
    assert torch.equal(quantized.read(tmp_path / "w")["plain"], torch.ones(90, 90))


def test_a_torn_file_is_said_to_be_one(tmp_path: Path) -> None:
    quantized.write(tmp_path / "w", {"rows": torch.randn(64, 96)})
    (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes()[:-40])
    with pytest.raises(SafetensorError):
        quantized.read(tmp_path / "w")
