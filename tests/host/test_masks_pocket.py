"""Masks of the trained pocket model's heatmaps against exact label maps."""

import torch

from bench_masks import Bench
from truth_figures import FIRST_SEED


def test_masks_cover_what_the_labels_say_and_absent_things_get_next_to_nothing():
    with torch.inference_mode():
        bench = Bench("FLUX.1")
        rows = [bench.row(FIRST_SEED + i) for i in range(4)]
    for way in ("segmentation", "threshold 0.4", "otsu"):
        assert sum(row[way][0] for row in rows) / len(rows) > 0.6, way
    for way in ("segmentation", "threshold 0.4"):
        assert sum(row[way][3] for row in rows) / len(rows) < 0.01, way
