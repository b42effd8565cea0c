"""Told of blocks by block replacement; another pack's replacement runs inside ours."""

from collections.abc import Callable, Mapping
from typing import Any

from .override import BlockReader, Watch


def with_replacements(
    options: dict[str, Any],
    count: int,
    image: Callable[[Mapping[str, Any]], slice],
    reader: BlockReader,
) -> dict[str, Any]:
    """A copy of the transformer options in which the first `count` double blocks are watched."""
    replace = dict(options.get("patches_replace", {}))
    blocks = dict(replace.get("dit", {}))
    for layer in range(count):
        key = ("double_block", layer)
        blocks[key] = _block_patch(layer, image, reader, blocks.get(key))
    replace["dit"] = blocks
    return {**options, "patches_replace": replace}


def _block_patch(
    layer: int,
    image: Callable[[Mapping[str, Any]], slice],
    reader: BlockReader,
    previous: Callable[..., Any] | None,
) -> Any:
    def read_block(args: dict[str, Any], extra: dict[str, Any]) -> Any:
        reader.enter(layer, args)
        watch = Watch(args["transformer_options"], image(args), reader)
        try:
            out = previous(args, extra) if previous else extra["original_block"](args)
        finally:
            watch.close()
        reader.leave(layer)
        return out

    return read_block
