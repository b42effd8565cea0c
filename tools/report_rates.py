"""Present against absent over many pictures: AUC and error rates, with bootstrap intervals."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Scored = tuple[list[float], list[float]]  # of one picture: scores of what is there, and is not
Figure = tuple[float, float, float]  # and the ends of its interval
REPEATS = 1000


class Rates:
    """Figures of many pictures, with 95 % bootstrap intervals over pictures.

    A figure is a quotient of sums over pictures, or over pairs of them, so that a repeat is a
    weight for each picture.
    """

    def __init__(self, rows: Sequence[Scored]) -> None:
        present, absent = (
            [torch.tensor(row[side], dtype=torch.float64) for row in rows] for side in (0, 1)
        )
        self.counts = [torch.tensor([len(each) for each in side]) for side in (present, absent)]
        p, a = torch.cat(present), torch.cat(absent)
        wins = (p[:, None] > a).double() + 0.5 * (p[:, None] == a)
        owners = [torch.arange(len(rows)).repeat_interleave(count) for count in self.counts]
        pairs = torch.zeros(len(rows), len(a), dtype=torch.float64).index_add(0, owners[0], wins)
        own = torch.zeros(len(rows), len(rows), dtype=torch.float64)
        self.wins = own.index_add(1, owners[1], pairs)
        self.sides, self.owners = (p, a), owners

    def pooled_auc(self) -> Figure:
        """Probability that something present, of any picture, scores above something absent."""
        present, absent = (count.double() for count in self.counts)

        def auc(weights: Tensor) -> Tensor:
            won = ((weights @ self.wins) * weights).sum(1)
            return won / ((weights @ present) * (weights @ absent))

        return self._interval(auc)

    def picture_auc(self) -> Figure:
        """The same within a picture; a tie counts half."""
        present, absent = self.counts
        return self._quotient(self.wins.diagonal(), present * absent)

    def false_absent(self, threshold: float) -> Figure:
        """Part of what is there that scores below the threshold."""
        return self._part(0, self.sides[0] < threshold)

    def false_present(self, threshold: float) -> Figure:
        """Part of what is not there that scores from the threshold on."""
        return self._part(1, self.sides[1] >= threshold)

    def best_threshold(self) -> float:
        """In hundredths, with the smallest sum of both errors; the middle of several."""
        steps = [i / 100 for i in range(1, 100)]
        present, absent = self.sides
        errors = [
            float((present < step).double().mean() + (absent >= step).double().mean())
            for step in steps
        ]
        best = [step for step, error in zip(steps, errors, strict=True) if error <= min(errors)]
        return best[len(best) // 2]

    def _part(self, side: int, hits: Tensor) -> Figure:
        found = torch.zeros(len(self.counts[side]), dtype=torch.float64)
        return self._quotient(
            found.index_add(0, self.owners[side], hits.double()), self.counts[side]
        )

    def _quotient(self, hits: Tensor, of: Tensor) -> Figure:
        return self._interval(lambda weights: (weights @ hits) / (weights @ of.double()))

    def _interval(self, figure: Callable[[Tensor], Tensor]) -> Figure:
        count = len(self.counts[0])
        generator = torch.Generator().manual_seed(0)
        drawn = torch.randint(count, (REPEATS, count), generator=generator)
        weights = torch.zeros(REPEATS, count, dtype=torch.float64)
        weights.scatter_add_(1, drawn, torch.ones_like(drawn, dtype=torch.float64))
        repeats = figure(weights).sort().values
        whole = figure(torch.ones(1, count, dtype=torch.float64))
        return float(whole), float(repeats[25]), float(repeats[974])
