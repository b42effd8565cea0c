"""Told of blocks by hooks on their modules, which are taken off again after the evaluation."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn

from .override import BlockReader, Watch

_MARK = "concept_attention"


@contextmanager
def hooked(
    options: dict[str, Any],
    blocks: Sequence[nn.Module],
    image: Callable[[Mapping[str, Any]], slice],
    reader: BlockReader,
) -> Iterator[None]:
    """Watch the blocks in evaluations that are given these transformer options, or copies of them.

    The modules are shared by all clones of a model, so that a hook may see an evaluation that is
    not ours: one without our mark among its options is let pass.
    """
    mark = object()
    options[_MARK] = (*options.get(_MARK, ()), mark)  # several captures may read one evaluation
    with ExitStack() as stack:
        for layer, block in enumerate(blocks):
            hook = _Hook(layer, block, mark, image, reader)
            for handle in (
                block.register_forward_pre_hook(hook.before, with_kwargs=True),
                # Called after an error too, so that no watch stays in the options, and the last
                # one first, which put its watch around those before it.
                block.register_forward_hook(hook.after, always_call=True, prepend=True),
            ):
                stack.callback(handle.remove)
        yield


class _Hook:
    """Both hooks of one block."""

    def __init__(
        self,
        layer: int,
        block: nn.Module,
        mark: object,
        image: Callable[[Mapping[str, Any]], slice],
        reader: BlockReader,
    ) -> None:
        self._layer = layer
        self._signature = inspect.signature(block.forward)
        self._mark = mark
        self._image = image
        self._reader = reader
        self._watch: Watch | None = None

    def before(self, block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = self._signature.bind(*args, **kwargs).arguments
        options = given.get("transformer_options") or {}
        if self._mark in options.get(_MARK, ()):
            self._reader.enter(self._layer, given)
            self._watch = Watch(options, self._image(given), self._reader)

    def after(self, block: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        watch, self._watch = self._watch, None
        if watch is None:
            return
        watch.close()
        if output is not None:  # none after an error
            self._reader.leave(self._layer)
