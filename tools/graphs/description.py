"""Reads a node's description, as /object_info gives it."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_DRAWN = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")


@dataclass(frozen=True)
class Input:
    """One input of a node; options are the host's: default, min, max, multiline and so on."""

    name: str
    kind: str
    options: Json
    optional: bool

    @property
    def widget(self) -> bool:
        """Whether the editor draws it as a widget."""
        return self.kind in _DRAWN and not self.options.get("forceInput")

    @property
    def seed(self) -> bool:
        """Whether the editor adds a widget behind it that changes it after a run."""
        named = self.name in ("seed", "noise_seed")
        return named or bool(self.options.get("control_after_generate"))

    @property
    def choices(self) -> list[Any] | None:
        """What a combo offers; None for another kind."""
        return self.options.get("options") if self.kind == "COMBO" else None

    @property
    def default(self) -> Any:
        """The value that a new node shows."""
        first = self.choices[0] if self.choices else ""
        return self.options.get("default", first)


def inputs(info: Json) -> list[Input]:
    """All inputs in the node's order: required ones, then optional ones."""
    return [
        _input(name, info["input"][group][name], group == "optional")
        for group in ("required", "optional")
        for name in info.get("input_order", info["input"]).get(group, ())
    ]


def slots(info: Json) -> list[Input]:
    """All inputs in the order of the editor's sockets: plain ones, then those with a widget."""
    return sorted(inputs(info), key=lambda each: each.widget)


def _input(name: str, entry: list[Any], optional: bool) -> Input:
    kind, options = (*entry, {})[:2]
    if isinstance(kind, list):  # the older notation of a combo: the choices in place of its name
        return Input(name, "COMBO", {**options, "options": kind}, optional)
    return Input(name, kind, options, optional)
