"""Reads a joint block's attention while the host computes it, by block replacement.

For models of the host that offer `patches_replace["dit"]`. Everything is put into options that live
for one model evaluation, so nothing has to be taken off a module afterwards. What another pack put
into the same slots is called in its turn: its block replacement inside ours, its attention override
in the host's place.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor

from .attention import by_heads

_OVERRIDE = "optimized_attention_override"


class BlockReader(Protocol):
    """What happens around one block's joint attention."""

    def enter(self, layer: int, given: Mapping[str, Any]) -> None:
        """Before the block; given: what the host gives to it."""

    def attention(self, image: slice, k: Tensor, v: Tensor, out: Tensor) -> None:
        """After the block's joint attention: k, v [rows, heads, L, d], out [rows, L, D].

        image: the image tokens among the L, those of reference pictures at the end included.
        """

    def leave(self, layer: int) -> None:
        """After the block."""


def with_block_readers(
    options: dict[str, Any], layers: Sequence[int], reader: BlockReader
) -> dict[str, Any]:
    """A copy of the transformer options in which `reader` watches the double blocks `layers`."""
    replace = dict(options.get("patches_replace", {}))
    blocks = dict(replace.get("dit", {}))
    for layer in layers:
        key = ("double_block", layer)
        blocks[key] = _block_patch(layer, reader, blocks.get(key))
    replace["dit"] = blocks
    return {**options, "patches_replace": replace}


def _block_patch(layer: int, reader: BlockReader, previous: Callable[..., Any] | None) -> Any:
    def read_block(args: dict[str, Any], extra: dict[str, Any]) -> Any:
        options = args["transformer_options"]
        slot = {_OVERRIDE: options[_OVERRIDE]} if _OVERRIDE in options else {}
        reader.enter(layer, args)
        # The host's own dictionary is changed and put back, not copied: a patch further in may
        # keep notes in it for the blocks to come.
        text, image = args["txt"].shape[1], args["img"].shape[1]
        ours = _Override(slice(text, text + image), reader, slot.get(_OVERRIDE))
        options[_OVERRIDE] = ours
        try:
            out = previous(args, extra) if previous else extra["original_block"](args)
        finally:
            ours.close()
            if options.get(_OVERRIDE) is ours:  # else a patch put its own there, for all blocks
                del options[_OVERRIDE]
                options.update(slot)
        reader.leave(layer)
        return out

    return read_block


class _Override:
    """Attention override that shows a block's first attention, the joint one, to the reader."""

    def __init__(
        self, image: slice, reader: BlockReader, previous: Callable[..., Any] | None
    ) -> None:
        self._image = image
        self._reader = reader
        self._previous = previous
        self._open = True

    def close(self) -> None:
        """The block is over: whoever still calls, nothing is read any more."""
        self._open = False

    def __call__(
        self, func: Any, q: Tensor, k: Tensor, v: Tensor, *args: Any, **kwargs: Any
    ) -> Any:
        if self._previous is None:
            out = func(q, k, v, *args, **kwargs)
        else:
            out = self._previous(func, q, k, v, *args, **kwargs)
        if self._open:
            self._open = False
            if not kwargs.get("skip_reshape", False):
                heads = args[0] if args else kwargs["heads"]
                k, v = (by_heads(x, heads) for x in (k, v))
            self._reader.attention(self._image, k, v, out)
        return out
