"""The host's attention override, put in place for the length of one block."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from torch import Tensor

from ..attention import by_heads

_OVERRIDE = "optimized_attention_override"


class BlockReader(Protocol):
    """What happens around one block's joint attention."""

    def enter(self, layer: int, given: Mapping[str, Any]) -> None:
        """Before the block; given: what the host gives to it, by name."""

    def attention(self, image: slice, q: Tensor, k: Tensor, v: Tensor, out: Tensor) -> None:
        """After the block's joint attention: q, k, v [rows, heads, L, d], out [rows, L, D].

        image: the image tokens among the L, those of reference pictures at the end included.
        """

    def leave(self, layer: int) -> None:
        """After the block."""


class Watch:
    """Puts an override into the options that shows a block's first attention to the reader.

    The first is the joint one: SD3.5 Medium's blocks attend a second time, over the image alone.
    What another pack put in the same slot computes the attention in the host's place, and is there
    again after `close`.
    """

    def __init__(self, options: dict[str, Any], image: slice, reader: BlockReader) -> None:
        self._options = options
        self._slot = {_OVERRIDE: options[_OVERRIDE]} if _OVERRIDE in options else {}
        self._previous: Callable[..., Any] | None = self._slot.get(_OVERRIDE)
        self._image = image
        self._reader = reader
        self._open = True
        # The host's own dictionary is changed and put back, not copied: a patch further in may
        # keep notes in it for the blocks to come.
        options[_OVERRIDE] = self._attend

    def close(self) -> None:
        """The block is over: whoever still calls, nothing is read any more."""
        self._open = False
        # Else a patch put its own override there, for all blocks.
        if self._options.get(_OVERRIDE) == self._attend:
            del self._options[_OVERRIDE]
            self._options.update(self._slot)

    def _attend(self, func: Any, q: Tensor, k: Tensor, v: Tensor, *args: Any, **kwargs: Any) -> Any:
        if self._previous is None:
            out = func(q, k, v, *args, **kwargs)
        else:
            out = self._previous(func, q, k, v, *args, **kwargs)
        if self._open:
            self._open = False
            if not kwargs.get("skip_reshape", False):
                heads = args[0] if args else kwargs["heads"]
                q, k, v = (by_heads(x, heads) for x in (q, k, v))
            self._reader.attention(self._image, q, k, v, out)
        return out
