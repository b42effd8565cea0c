"""Cells and lines of the benchmarks' tables."""

from table_cells import cell, head, line


def test_a_cell_is_a_figure_with_its_interval():
    assert cell(0.716, 0.696, 0.7361) == "0.716 (0.696 to 0.736)"
    assert cell(0.92, 0.894, 0.944, ".1%") == "92.0% (89.4% to 94.4%)"
    assert cell(-0.011, -0.02, 0.0, "+.3f") == "-0.011 (-0.020 to +0.000)"


def test_a_table_begins_with_names_and_a_rule():
    assert head(("maps", "mIoU")) == ["| maps | mIoU |", "|---|---|"]
    assert line(("value", "")) == "| value |  |"
