"""Layers laid out for few rows say what they said before."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dbt_t2s.model.packed import PackedLinear, _rounded, has_bf16, pack

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(),  # type: ignore[no-untyped-call]
    reason="this build of torch has no oneDNN",
)


@pytest.mark.parametrize("rows", [(1,), (6, 1), (1, 16), (200,)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_layer_gives_the_same_numbers(rows: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(48, 80, bias=bias)
    x = torch.randn(*rows, 48)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(linear)(x), linear(x), atol=1e-5, rtol=1e-5)


def test_all_layers_below_are_packed_and_nothing_else() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(16, 32), nn.ModuleList([nn.Linear(32, 4)]), nn.LayerNorm(4))
    kinds = [type(each) for each in module.modules()]
    pack(module)
    packed = [PackedLinear if each is nn.Linear else each for each in kinds]
    assert [type(each) for each in module.modules()] == packed
    assert PackedLinear in packed and not list(module[0].parameters())


def test_a_layer_of_few_inputs_stays_as_it_is() -> None:
    module = nn.Sequential(nn.Linear(6, 8))
    pack(module)
    assert type(module[0]) is nn.Linear


@pytest.mark.skipif(not has_bf16(), reason="this processor multiplies no bfloat16")
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_in_bfloat16_gives_float32_and_nearly_the_same(bias: bool) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(384, 80, bias=bias)
    x = torch.randn(6, 384)
    with torch.inference_mode():
        made = PackedLinear(linear, torch.bfloat16)(x)
        assert made.dtype is torch.float32
        torch.testing.assert_close(made, linear(x), atol=2e-2, rtol=2e-2)
        assert not torch.equal(made, linear(x))


def test_half_precision_is_used_only_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for found, expected in (({}, False), ({"avx2": True}, False), ({"avx512_bf16": True}, True)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=found: found, raising=False)
        assert has_bf16() is expected


@pytest.mark.parametrize("rows", [0, 1, 8, 9, 64, 128, 129, 481])
def test_rows_are_rounded_up_and_those_beside_them_not_given(rows: int) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(48, 80)
    x = torch.randn(rows, 48)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(linear)(x), linear(x), atol=1e-5, rtol=1e-5)


def test_few_numbers_of_rows_are_made_ready() -> None:
    assert len({rows + -rows % _rounded(rows) for rows in range(1, 641)}) == 8 + 15 + 16
