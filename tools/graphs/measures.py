"""How tall the editor draws a node, in pixels at zoom 1.

The heights are LiteGraph's; what Nodes 2.0 needs beyond them is left free below the node.
"""

import math

from .description import Json, inputs

TITLE = 30  # of a node; it lies above the node's position
BETWEEN = TITLE + 30  # from the foot of a node to the position of the one below it

_SLOT, _WIDGET, _MULTILINE = 20, 24, 120
_TALLER = 30  # Nodes 2.0 adds the pack's name and "Show advanced inputs" below our nodes
_ROOMIER = 10  # what Nodes 2.0 gives a widget beyond LiteGraph, where advanced ones are shown
# Pixels that the pack's own page adds, for what a node says after a run too.
_ELEMENTS = {"ConceptAttentionEncode": 90, "ConceptAttentionMasks": 60}
_LETTER, _LINE = 5.6, 13  # of a note's text, on the average
_NOTE = 150  # of a note with a few lines


def height(type_: str, info: Json) -> int:
    """The height that the editor gives the node; texts of several lines get a fixed share."""
    drawn = [each for each in inputs(info) if each.widget]
    texts = sum(bool(each.options.get("multiline")) for each in drawn)
    lines = len(drawn) - texts + sum(each.seed for each in drawn)
    sockets = len(inputs(info)) - len(drawn)
    total = max(sockets, len(info["output"]), 1) * _SLOT + 6 + _ELEMENTS.get(type_, 0)
    return total + (lines * _WIDGET + texts * _MULTILINE + 8 if drawn else 0)


def taller(info: Json, advanced: bool) -> int:
    """What Nodes 2.0 needs beyond that for one of our nodes; advanced: all its inputs are shown."""
    widgets = sum(each.widget for each in inputs(info)) if advanced else 0
    return _TALLER + widgets * _ROOMIER


def note_height(text: str, width: int) -> int:
    """What a note of that width needs in Nodes 2.0, which shows all of it."""
    paragraphs = text.split("\n\n")
    lines = sum(math.ceil(len(each) * _LETTER / width) for each in paragraphs)
    return max(_NOTE, 40 + (lines + len(paragraphs) - 1) * _LINE)
