"""Concept Report: what was painted, what was ignored, and whether a picture passes."""

from typing import Any, Literal, get_args

import comfy.model_management
from torch import Tensor

from ..core.concepts import parse_concepts
from ..core.errors import ConceptAttentionError
from ..core.labels import captions, number_legend
from ..core.report import (
    THRESHOLD,
    Report,
    Settings,
    as_json,
    as_text,
    chart,
    check,
    failure,
    report,
)
from ..core.types import Heatmaps
from ._host import io
from .messages import lines_on_node
from .types import HeatmapsType

OnFailure = Literal["report only", "stop the workflow"]


class ConceptReport(io.ComfyNode):
    """Judges heatmaps and says which concepts are there."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The node's face."""
        return io.Schema(
            node_id="ConceptAttentionReport",
            display_name="Concept Report",
            category="Concept Attention",
            description="Says of every concept whether it is present, weak, absent or confused "
            "with another one, where it is and how much of the picture it takes. Can require "
            "concepts to be present or absent, and stop the workflow when they are not.",
            search_aliases=[
                "heatmap",
                "prompt debug",
                "audit",
                "presence score",
                "safety check",
                "attention map",
                "interpretability",
                "concept attention",
            ],
            is_output_node=True,
            inputs=[*_judged(), *_required()],
            outputs=[
                io.String.Output(
                    display_name="text", tooltip="The report, one line for each concept."
                ),
                io.String.Output(
                    display_name="json",
                    tooltip="All figures for a program; the help page lists its keys.",
                ),
                io.Image.Output(
                    display_name="chart",
                    tooltip="A bar for each concept, beside the picture if it is connected: one "
                    "chart for each batch item, or for a whole video.",
                ),
                io.Boolean.Output(
                    display_name="passed",
                    tooltip="Whether all that must be present or absent is so in every batch item. "
                    "True when nothing is required.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls,
        null_concepts: str | None = "",
        must_be_present: str | None = "",
        must_be_absent: str | None = "",
    ) -> bool | str:
        """What is wrong with the lists is said before anything runs; None is a linked input."""
        try:
            lists = _labels(null_concepts or "", must_be_present or "", must_be_absent or "")
            check(Settings(THRESHOLD, *lists))
        except ConceptAttentionError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        heatmaps: Heatmaps,
        threshold: float = THRESHOLD,
        must_be_present: str = "",
        must_be_absent: str = "",
        on_failure: OnFailure = "report only",
        null_concepts: str = "",
        image: Tensor | None = None,
    ) -> io.NodeOutput:
        """Judge the heatmaps; raises when a check failed and the workflow is to stop."""
        lists = _labels(null_concepts, must_be_present, must_be_absent)
        found = report(heatmaps, Settings(threshold, *lists))
        if on_failure == "stop the workflow" and not found.passed:
            raise ConceptAttentionError(
                f"Concept Report stopped the workflow (on_failure). {failure(found)}"
            )
        device = comfy.model_management.intermediate_device()
        drawn = chart(found, image).to(device)
        text = as_text(found)
        shown = lines_on_node((*text.splitlines(), *_numbers(found)))
        return io.NodeOutput(text, as_json(found), drawn, found.passed, ui=shown)


def _labels(*texts: str) -> tuple[tuple[str, ...], ...]:
    """The labels of null_concepts, must_be_present and must_be_absent."""
    names = ("null_concepts", "must_be_present", "must_be_absent")
    return tuple(tuple(parse_concepts(text, name)) for text, name in zip(texts, names, strict=True))


def _numbers(found: Report) -> tuple[str, ...]:
    """What the names drawn as numbers stand for."""
    labels = [finding.label for finding in found.items[0].findings]
    return number_legend(labels, captions(labels))


def _judged() -> list[Any]:
    return [
        HeatmapsType.Input(
            "heatmaps",
            tooltip="The maps of all concepts, from Heatmap Decode with its concept input empty. "
            "The softmax itself is judged, however the maps were normalized.",
        ),
        io.Image.Input(
            "image",
            optional=True,
            tooltip="The picture, for the chart: it is shown with a box around each concept.",
        ),
        io.Float.Input(
            "threshold",
            default=THRESHOLD,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip="Score from which on a concept is present; the score is the mean of the "
            "highest 0.5 % of its map. The default was measured on the pocket models; other "
            "models have other scales, see null_concepts.",
        ),
    ]


def _required() -> list[Any]:
    return [
        io.String.Input(
            "must_be_present",
            default="",
            placeholder="none",
            tooltip="Concepts that must have the verdict present, separated by commas, as they "
            "were written in the Concept Encoder.",
        ),
        io.String.Input(
            "must_be_absent",
            default="",
            placeholder="none",
            tooltip="Concepts whose score must be below threshold, separated by commas. They must "
            "be among the heatmaps.",
        ),
        io.Combo.Input(
            "on_failure",
            options=list(get_args(OnFailure)),
            default="report only",
            tooltip="What happens when a concept is not as it must be. report only: passed is "
            "false. stop the workflow: the run ends with an error that names the concept.",
        ),
        io.String.Input(
            "null_concepts",
            default="",
            placeholder="none",
            tooltip="Concepts among the heatmaps that are known not to be in the picture, "
            "separated by commas. Where they score above 0.25, as absent concepts of the pocket "
            "models do not, the other scores are lowered as much.",
        ),
    ]
