"""Reads a joint block's attention while the host computes it.

Two ways to be told of a block: block replacement, for models of the host that offer
`patches_replace["dit"]`, and hooks on the block's module for those that do not. Either way the
attention itself is seen by the host's attention override, and nothing outlives one evaluation.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from torch import nn

from .hooks import hooked
from .override import BlockReader
from .replacement import with_replacements

__all__ = ["Attachment", "BlockReader", "reading"]

Attachment = Literal["replacement", "hooks"]


@contextmanager
def reading(
    attachment: Attachment,
    options: dict[str, Any],
    blocks: Sequence[nn.Module],
    image: Callable[[Mapping[str, Any]], slice],
    reader: BlockReader,
) -> Iterator[dict[str, Any]]:
    """Transformer options for one evaluation in which `reader` watches the first blocks of a model.

    image: from what the host gives to a block, the image tokens among those of its joint attention.
    """
    if attachment == "replacement":
        yield with_replacements(options, len(blocks), image, reader)
    else:
        options = dict(options)
        with hooked(options, blocks, image, reader):
            yield options
