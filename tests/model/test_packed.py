"""Layers laid out for few rows say what they said before."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dbt_t2s.model.packed import PackedLinear, pack

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
    module = nn.Sequential(nn.Linear(8, 8), nn.ModuleList([nn.Linear(8, 4)]), nn.LayerNorm(4))
    kinds = [type(each) for each in module.modules()]
    pack(module)
    packed = [PackedLinear if each is nn.Linear else each for each in kinds]
    assert [type(each) for each in module.modules()] == packed
    assert PackedLinear in packed and not list(module[0].parameters())
