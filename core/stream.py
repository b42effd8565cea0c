"""The concept stream beside one evaluation of the model, block by block."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .attention import attend, average
from .families import Call, Family, Projected, Stream
from .spaces import Seen
from .types import Concepts
from .words import rows_of

# (layer, concept vectors [rows, C, D] float32, image vectors [rows, N, D])
Observer = Callable[[int, Tensor, Tensor], None]
# The same, and what they were made of.
Sink = Callable[[int, Tensor, Tensor, Seen], None]


class Finished(Exception):  # noqa: N818 - no error
    """The last layer was read: the rest of this forward is not needed."""


class StreamReader:
    """Runs concept streams for slices of the batch rows; reads blocks, never writes to them.

    Concepts that are words of the prompt need no stream: their tokens are in the host's own.

    stop: raise Finished once the last layer's attention was read, in the middle of its block.
    """

    def __init__(
        self,
        family: Family,
        model: nn.Module,
        call: Call,
        concepts: Concepts,
        rows: tuple[slice, ...],
        tokens: int,
        last_layer: int,
        sink: Sink,
        stop: bool = False,
    ) -> None:
        self._streams: list[_RowStream | _PromptRows]
        if concepts.of_prompt:
            self._streams = [_PromptRows(family, call, concepts, part) for part in rows]
        else:
            self._streams = [
                _RowStream(family.stream(model, _cut(call, part), concepts), part) for part in rows
            ]
        self._counts = concepts.counts
        self._tokens = tokens
        self._last = last_layer
        self._sink = sink
        self._stop = stop
        self._layer = -1

    def enter(self, layer: int, given: Mapping[str, Any]) -> None:
        """Project the concepts by the block's text side."""
        self._layer = layer
        for stream in self._streams:
            stream.enter(layer, given)

    def attention(self, image: slice, q: Tensor, k: Tensor, v: Tensor, out: Tensor) -> None:
        """Let the concepts attend to themselves and the image, and pass both sides on.

        The stream keeps every token; what is scored is one vector for each concept.
        """
        for stream in self._streams:
            concept_out = stream.attend(image, q, k, v, out)
            main = slice(image.start, image.start + self._tokens)
            own = average(concept_out, self._counts)
            image_q, image_k, image_v = (x[stream.rows, :, main] for x in (q, k, v))
            seen = Seen(stream.projected, image_q, image_k, image_v, self._counts)
            self._sink(self._layer, own, out[stream.rows, main], seen)
        if self._stop and self._layer == self._last:
            raise Finished

    def leave(self, layer: int) -> None:
        """Carry the stream into the next block, if one is to be read."""
        if layer < self._last:
            for stream in self._streams:
                stream.advance(layer)


class _RowStream:
    """The concept stream of one slice of batch rows."""

    def __init__(self, stream: Stream, rows: slice) -> None:
        self._stream = stream
        self.rows = rows
        self._projected: Projected | None = None
        self._out: Tensor | None = None

    def enter(self, layer: int, given: Mapping[str, Any]) -> None:
        self._projected, self._out = self._stream.project(layer, given, self.rows), None

    @property
    def projected(self) -> Projected:
        if self._projected is None:
            raise RuntimeError("attention was seen before its block")
        return self._projected

    def attend(self, image: slice, q: Tensor, k: Tensor, v: Tensor, out: Tensor) -> Tensor:
        own = self.projected
        image_k, image_v = (x[self.rows, :, image] for x in (k, v))
        self._out = attend(own.q, own.k, own.v, image_k, image_v)
        return self._out

    def advance(self, layer: int) -> None:
        # Without a concept output (a patch ran the block without its attention) the stream stands
        # still; the recorder sees that the layer is missing and drops the evaluation.
        if self._out is not None:
            self._stream.advance(layer, self._out)
        self._projected = None


class _PromptRows:
    """The tokens of the prompt's words in one slice of batch rows, as the host computed them."""

    def __init__(self, family: Family, call: Call, concepts: Concepts, rows: slice) -> None:
        self._family = family
        self._length = concepts.items[0].length
        places = [index for index, _ in concepts.places]
        self._places = torch.tensor(places, device=call.latent.device)
        self.rows = rows
        self._projected: Projected | None = None

    def enter(self, layer: int, given: Mapping[str, Any]) -> None:
        self._projected = None

    @property
    def projected(self) -> Projected:
        if self._projected is None:
            raise RuntimeError("attention was not seen yet")
        return self._projected

    def attend(self, image: slice, q: Tensor, k: Tensor, v: Tensor, out: Tensor) -> Tensor:
        text = rows_of(self._family, image, self._length)
        own = (x[self.rows, :, text].index_select(2, self._places) for x in (q, k, v))
        self._projected = Projected(*own)
        return out[self.rows, text].index_select(1, self._places).float()

    def advance(self, layer: int) -> None:
        self._projected = None


def _cut(call: Call, rows: slice) -> Call:
    return Call(call.latent[rows], _rows(call.timestep, rows), _rows(call.guidance, rows))


def _rows(value: Any, rows: slice) -> Any:
    return value if value is None or value.shape[0] == 1 else value[rows]
