"""Which of a guider's conditionings the concepts ride on, and whether it can be captured."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import ConceptAttentionError

POSITIVE, NEGATIVE = "positive", "negative"
CONDITIONINGS = (POSITIVE, NEGATIVE)

_PARTIAL = ("area", "mask")  # conditionings that speak for a part of the picture

# The host's guiders that leave the negative prompt out at one strength: class, attribute, that
# strength, and the input that the user knows it by.
_IDLE = {
    "CFGGuider": ("cfg", 1.0, "cfg"),
    "Guider_DualModel": ("cfg", 1.0, "cfg"),
    "Guider_DualCFG": ("cfg2", 1.0, "cfg_cond2_negative"),
    "Guider_PerpNeg": ("neg_scale", 0.0, "neg_scale"),
}
# Samplers that need the negative prompt's prediction whatever the strength.
_ALWAYS = "cfg_pp"


def prompts_of(guider: Any, name: str, sampler: Any = None) -> Sequence[dict[str, Any]]:
    """The guider's conditioning of a name, one of CONDITIONINGS, in the host's own form.

    Raises ConceptAttentionError where there is none, and where the host would never evaluate it.
    """
    if name not in CONDITIONINGS:
        raise ConceptAttentionError(
            f"conditioning: '{name}' is not one of {', '.join(CONDITIONINGS)}"
        )
    found: Sequence[dict[str, Any]] = guider.original_conds.get(name) or ()
    if name == POSITIVE:
        return found
    if not found:
        raise ConceptAttentionError(
            "conditioning: negative was chosen, and the guider has no negative prompt (a Basic "
            "guider knows the positive one only). Use a CFG guider, or choose positive."
        )
    _check_evaluated(guider, sampler)
    return found


def uuids_of(prompts: Sequence[dict[str, Any]], name: str = POSITIVE) -> set[Any]:
    """What the host tells the rows of these prompts by.

    Raises ConceptAttentionError for no prompt at all and for one of a part of the picture.
    """
    if not prompts:
        raise ConceptAttentionError(
            f"guider: it has no conditioning named {name}, which is the one that concepts are "
            "captured from. Use a Basic, CFG, Dual CFG, Dual Model or Perp-Neg guider."
        )
    for prompt in prompts:
        found = [key for key in _PARTIAL if key in prompt]
        if found:
            raise ConceptAttentionError(
                f"{name}: regional prompts are not supported, one has a {found[0]} (Conditioning "
                "Set Area or Set Mask). Remove the region, or disconnect concepts."
            )
    return {prompt["uuid"] for prompt in prompts}


def prompt_rows(
    count: int, options: Mapping[str, Any], wanted: set[Any], passed: set[Any]
) -> tuple[slice, ...]:
    """Of a pass' `count` rows those of wanted prompts in their first pass, neighbours joined.

    options: the host's of this pass. wanted: what the prompts are told by, see `uuids_of`. passed:
    the same of those whose first pass is over; what is found is added.
    """
    uuids = options.get("uuids", [])
    batch = count // max(1, len(uuids))
    rows: list[slice] = []
    for chunk, uuid in enumerate(uuids):
        if uuid not in wanted or uuid in passed:
            continue
        passed.add(uuid)
        start = chunk * batch
        if rows and rows[-1].stop == start:
            rows[-1] = slice(rows[-1].start, start + batch)
        else:
            rows.append(slice(start, start + batch))
    return tuple(rows)


def _check_evaluated(guider: Any, sampler: Any) -> None:
    attribute, idle, name = _IDLE.get(type(guider).__name__, ("", 0.0, ""))
    if not attribute or getattr(guider, "nested", False) or _is_needed(guider, sampler):
        return
    if math.isclose(getattr(guider, attribute), idle):
        raise ConceptAttentionError(
            f"conditioning: negative was chosen, and {name} is {idle}: the host then never "
            f"evaluates the negative prompt, so there is nothing to capture. Set {name} to another "
            "value, or choose positive."
        )


def _is_needed(guider: Any, sampler: Any) -> bool:
    options: Mapping[str, Any] = guider.model_options
    function = getattr(sampler, "sampler_function", None)
    always = _ALWAYS in getattr(function, "__name__", "")
    return always or bool(options.get("disable_cfg1_optimization", False))
