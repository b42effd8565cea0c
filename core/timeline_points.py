"""What is known of each map of a timeline: how strong it is, where it is, and how true."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from .agreement import average_precision, defined, iou
from .errors import ConceptAttentionError
from .resize import resize
from .segments import Rivals, strongest

DECIDED = 0.5  # the overlap with the last step's segment from which on a place counts as found
_SHAPES = 0.02  # a mask whose proportion differs by more is not of this picture


@dataclass(frozen=True)
class Point:
    """What is known of one map; None where there is no answer.

    share: of the picture, the mean of the map. peak: its largest value. change: mean difference,
    regardless of sign, from the map before. agreement: IoU of the concept's segment, where it is
    stronger than every other concept and the background, with that of the last step, and for a
    layer with that of all layers together. truth_iou, truth_precision: IoU of the segment with the
    true mask, and the average precision of the map.
    """

    share: float
    peak: float
    change: float | None
    agreement: float | None
    truth_iou: float | None = None
    truth_precision: float | None = None


def true_mask(truth: Tensor, item: int, total: int, picture: tuple[int, int]) -> Tensor:
    """The mask [h, w] bool of an item, out of masks [M, h, w], one or `total`.

    Raises ConceptAttentionError for another number of masks, a mask of another shape than the
    picture (height, width), and one that is empty.
    """
    if truth.shape[0] not in (1, total):
        wanted = "1 mask" if total == 1 else f"1 mask or {total}, one for each batch item or frame"
        raise ConceptAttentionError(f"truth: {truth.shape[0]} masks do not fit. Give {wanted}.")
    mask = truth[item if truth.shape[0] > 1 else 0] > 0.5
    (height, width), (rows, columns) = picture, mask.shape
    if abs(width * rows / (height * columns) - 1) > _SHAPES:
        raise ConceptAttentionError(
            f"truth: a mask of {columns} x {rows} has another shape than the picture, {width} x "
            f"{height}"
        )
    if not bool(mask.any()):
        raise ConceptAttentionError(
            f"truth: nothing of mask {item if truth.shape[0] > 1 else 0} is above 0.5, so there is "
            "no place to compare with"
        )
    return mask


def segment(rivals: Rivals, place: int) -> Tensor:
    """Where the shown concept of a place wins, see `segments.winners`: [..., H, W] bool."""
    return strongest(*rivals) == place


def points(
    rivals: Rivals, place: int, goal: Tensor, mask: Tensor | None, picture: tuple[int, int]
) -> tuple[Point, ...]:
    """A point for each of K maps of the shown concept of a place, among its rivals [C, K, H, W].

    goal: the segment to agree with, [H, W] bool.
    """
    own = rivals[0][place].double()
    columns = (
        own.mean((-2, -1)).tolist(),
        own.amax((-2, -1)).tolist(),
        [None, *own.diff(dim=0).abs().mean((-2, -1)).tolist()],
        map(defined, iou(segment(rivals, place), goal).tolist()),
    )
    known = list(zip(*columns, strict=True))
    if mask is None:
        return tuple(Point(*numbers) for numbers in known)
    return tuple(
        Point(*numbers, *_quality(_at(rivals, i), place, mask, picture))
        for i, numbers in enumerate(known)
    )


def _at(rivals: Rivals, number: int) -> Rivals:
    shown, background = rivals
    return shown[:, number], None if background is None else background[number]


def _quality(
    rivals: Rivals, place: int, mask: Tensor, picture: tuple[int, int]
) -> tuple[float, float]:
    """IoU of the segment and average precision of the map, at the mask's size."""
    size = (mask.shape[0], mask.shape[1])
    shown, background = rivals
    full = resize(shown, size, picture=picture)
    rest = None if background is None else resize(background, size, picture=picture)
    mask = mask.to(full.device)
    overlap = iou(segment((full, rest), place), mask)
    return float(overlap), average_precision(full[place], mask)


def decided(points: Sequence[Point], anywhere: bool) -> int | None:
    """Place of the first step from which on the agreement is at least DECIDED.

    None for a single step, and where the concept wins no place at the last one (not anywhere).
    """
    if not anywhere or len(points) < 2:
        return None
    late = [
        i for i, each in enumerate(points) if each.agreement is None or each.agreement < DECIDED
    ]
    return late[-1] + 1 if late else 0
