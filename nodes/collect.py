"""Collect Capture: the capture of the run that made a result."""

from typing import Any

from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ..core.errors import ConceptAttentionError
from ..core.fingerprint import fingerprint
from ..core.history import BUDGETS, MOST_RUNS, Record
from ._host import io
from .ancestry import Ancestry
from .attach import Handle, current_origin
from .settings import ALIASES, CAPTURE_OUTPUT
from .types import CaptureType, HandleType

_ABSENT = object()
_ONE = "latent, image: connect one of them, the result of the sampler that has the attached MODEL."


class CollectCapture(io.ComfyNode):
    """The capture that belongs to a sampled latent or image."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConceptAttentionCollect",
            display_name="Collect Capture",
            category="Concept Attention",
            description="Takes the capture of a run that sampled with an attached MODEL. A result "
            "that no run of it made is an error, so that a map never belongs to another picture.",
            search_aliases=[*ALIASES, "any sampler", "other sampler", "detach"],
            inputs=[
                HandleType.Input("handle", tooltip="From the Attach Capture of the sampled MODEL."),
                io.Latent.Input(
                    "latent",
                    optional=True,
                    tooltip="What the sampler returned, unchanged. Its numbers say which run made "
                    "it, so several samplers may share the MODEL.",
                ),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="In place of latent, for samplers that return pictures. A picture does "
                    "not say which run made it, the workflow does: it must come from one sampler, "
                    "with nothing behind that which could have sampled again.",
                ),
                io.Int.Input(
                    "run",
                    default=0,
                    min=0,
                    max=10000,
                    optional=True,
                    advanced=True,
                    tooltip="0: the one run that made the result. From 1 on: that one of several "
                    "in the same sampler node, in their order, such as a tile or an earlier pass.",
                ),
            ],
            outputs=[
                io.Latent.Output(
                    display_name="latent", tooltip="The same latent; without one, nothing."
                ),
                io.Image.Output(
                    display_name="image", tooltip="The same image; without one, nothing."
                ),
                CaptureType.Output(**CAPTURE_OUTPUT),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
        )

    @classmethod
    def validate_inputs(
        cls, handle: Any = None, latent: Any = _ABSENT, image: Any = _ABSENT
    ) -> bool | str:
        # A linked input is None here; one that is not connected is not passed at all.
        return (latent is _ABSENT) != (image is _ABSENT) or _ONE

    @classmethod
    def execute(
        cls,
        handle: Handle,
        latent: dict[str, Any] | None = None,
        image: Tensor | None = None,
        run: int = 0,
    ) -> io.NodeOutput:
        if (latent is None) == (image is None):
            raise ConceptAttentionError(_ONE)
        search = _Search(handle, "image" if latent is None else "latent", cls.hidden)
        record = search.record(image if latent is None else latent["samples"], run)
        if record.capture is None:
            raise ConceptAttentionError(record.absent)
        passed = (ExecutionBlocker(None) if each is None else each for each in (latent, image))
        return io.NodeOutput(*passed, record.capture)


class _Search:
    """Finds the run that made the result at an input of a node."""

    def __init__(self, handle: Handle, name: str, hidden: Any) -> None:
        self._history = handle.history
        self._name = name
        self._origin = current_origin()
        self._ancestry: Ancestry | None = None
        if hidden is not None:
            self._ancestry = Ancestry(hidden.dynprompt, hidden.unique_id, name)
            behind_handle = Ancestry(hidden.dynprompt, hidden.unique_id, "handle")
            # Without this, a result of the plain model would be found if an earlier run of the
            # attached one had the same numbers, and would not be after the host's next start.
            known = behind_handle.includes((handle.node, 1))  # the host may run nodes unseen
            if known and not self._ancestry.includes((handle.node, 0)):
                raise ConceptAttentionError(
                    f"{name}: it was not sampled with the MODEL of this Attach Capture (node "
                    f"{handle.node}). Connect that MODEL to the sampler, or the handle that "
                    "belongs to the sampler's MODEL."
                )

    def record(self, values: Any, run: int) -> Record:
        """The run that made these values, or the run-th of the node that did."""
        if getattr(values, "is_nested", False):  # the host's latents of several kinds in one
            raise ConceptAttentionError(self._unknown())
        mark = fingerprint(values)
        if found := self._history.returned(mark):
            return self._choice(found, run, whole=True)
        # A latent that no run returned was changed or put together: it takes a user's word.
        if self._name == "latent" and run == 0:
            raise ConceptAttentionError(self._unknown())
        try:
            found = self._sampled_now()
        except ConceptAttentionError:
            # What was shown before holds for the same values, when the host kept the sampler's.
            found = self._history.derived(mark)
            if not found:
                raise
        # A plain colour is the picture of many runs: its values show nothing.
        if values.min() < values.max():
            for record in found:
                record.derived.add(mark)
        return self._choice(found, run, whole=False)

    def _sampled_now(self) -> list[Record]:
        """The runs of the one node that the result comes from, in the workflow as it runs now."""
        prompt, _ = self._origin
        node = None
        if self._ancestry is not None:
            here = {node for queued, node in self._history.origins if queued == prompt}
            node = self._ancestry.sampler(here)
        found = self._history.of((prompt, node))
        if not found:
            raise ConceptAttentionError(self._unknown())
        return found

    def _choice(self, found: list[Record], run: int, whole: bool) -> Record:
        newest = found[-1]
        complete = whole or newest.number <= len(found)
        if run == 0 and complete and all(newest.agrees(each) for each in found):
            return newest
        siblings = self._history.of(newest.origin)
        chosen = [each for each in siblings if each.number == run]
        if not chosen:
            raise ConceptAttentionError(self._numbers(siblings, run))
        return chosen[0]

    def _numbers(self, siblings: list[Record], run: int) -> str:
        kept = ", ".join(str(each.number) for each in siblings)
        what = (
            f"there is no run {run} to collect" if run else f"{self._name} is the work of several"
        )
        return (
            f"run: {what}. The sampler's node made {siblings[-1].number} runs (tiles or passes); "
            f"kept, and to be chosen here: {kept}."
        )

    def _unknown(self) -> str:
        return (
            f"{self._name}: no run of this Attach Capture returned it. It was sampled with another "
            "MODEL, or without a step, or changed or put together behind the sampler, or its run "
            f"is not kept any more (the newest {MOST_RUNS} are, within {BUDGETS} times memory_mb). "
            "Connect what comes out of the sampler itself; of a result put together of tiles or "
            "passes, choose one by run."
        )
