"""What a user may write for layers and steps."""

import pytest

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.core.selection import parse, pick, pick_default

SINGLE = [(i,) for i in range(6)]


@pytest.mark.parametrize(
    ("text", "total", "indices"),
    [
        ("all", 3, (0, 1, 2)),
        ("15-18", 19, (15, 16, 17, 18)),
        ("15\u201318", 19, (15, 16, 17, 18)),
        ("-4:", 19, (15, 16, 17, 18)),
        (":4", 19, (0, 1, 2, 3)),
        ("3:", 5, (3, 4)),
        ("1:3", 5, (1, 2)),
        (":-1", 3, (0, 1)),
        ("-1", 19, (18,)),
        ("0,5,9", 19, (0, 5, 9)),
        (" 9 , 0-2,1 ", 19, (0, 1, 2, 9)),
        ("-2:, 0", 19, (0, 17, 18)),
        ("0%-100%", 3, (0, 1, 2)),
        ("70%-100%", 20, (14, 15, 16, 17, 18, 19)),
        ("70-100%", 10, (7, 8, 9)),
        ("0%-50%, All", 1, (0,)),
        ("25%-50%", 6, (2,)),
        ("33.3%-66.6%", 3, (1,)),
    ],
)
def test_text_names_indices(text, total, indices):
    assert parse(text, total, "layers") == indices


@pytest.mark.parametrize(("total", "step"), [(1, 0), (4, 3), (5, 4), (7, 6)])
def test_a_percentage_is_at_least_the_step_under_way(total, step):
    assert parse("90%-91%", total, "steps") == (step,)


def test_percentages_split_the_steps_without_gap_or_overlap():
    for total in range(10, 60):
        first, second = parse("0%-70%", total, "steps"), parse("70%-100%", total, "steps")
        assert first + second == tuple(range(total))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("15-22", "layers: '15-22': this model has 19 layers, 0 to 18"),
        ("0, 19", "layers: '19' in '0, 19': this model has 19 layers, 0 to 18"),
        ("-20:", "layers: '-20:': this model has 19 layers, 0 to 18"),
        (":20", "layers: ':20': this model has 19 layers, 0 to 18"),
        ("-20", "layers: '-20': this model has 19 layers, 0 to 18"),
        ("5-3", "layers: '5-3' names nothing: it ends before it starts"),
        ("3:3", "layers: '3:3' names nothing: it ends before it starts"),
        ("", "layers: '' is empty. Allowed: all, "),
        (" , ", "layers: ' , ' is empty. Allowed: all, "),
        ("1,,2", "layers: '1,,2' has an empty part. Allowed: all, "),
        ("last", "layers: 'last' is not understood. Allowed: all, "),
        ("1, x-2", "layers: 'x-2' in '1, x-2' is not understood. Allowed: all, "),
        (":", "layers: ':' is not understood. Allowed: all, "),
        ("70%", "layers: '70%' is not understood. Allowed: all, "),
        ("70%-60%", "layers: '70%-60%': percentages rise from 0% to 100%"),
        ("50%-101%", "layers: '50%-101%': percentages rise from 0% to 100%"),
    ],
)
def test_errors_name_the_text_the_part_and_the_range(text, message):
    with pytest.raises(ConceptAttentionError) as error:
        parse(text, 19, "layers")
    assert str(error.value).startswith(message)


def test_a_step_out_of_range_names_the_run():
    with pytest.raises(ConceptAttentionError, match="steps: '20': this run has 20 steps, 0 to 19"):
        parse("20", 20, "steps")


def test_defaults_end_where_the_model_does():
    assert parse("-4:", 3, "layers", clip=True) == (0, 1, 2)
    assert parse("2-9", 4, "layers", clip=True) == (2, 3)


@pytest.mark.parametrize(
    ("text", "captured", "places"),
    [
        ("all", SINGLE, (0, 1, 2, 3, 4, 5)),
        ("-2:", SINGLE, (4, 5)),
        ("all", [(1,), (4,)], (0, 1)),
        ("50%-100%", [(0,), (2,), (4,)], (2,)),
        ("4, 2", [(0,), (2,), (4,)], (1, 2)),
        ("2-5", [(0, 1), (2, 3), (4, 5)], (1, 2)),
        ("30%-100%", [(0, 1, 2), (3, 4, 5)], (1,)),
    ],
)
def test_an_entry_is_picked_when_all_of_it_is_asked_for(text, captured, places):
    assert pick(text, captured, 6, "layers") == places


@pytest.mark.parametrize(
    ("text", "captured", "message"),
    [
        (
            "3-5",
            [(0,), (2,), (4,)],
            "layers: '3-5': not captured: 3, 5. Captured of 0 to 5: 0, 2, 4.",
        ),
        (
            "2",
            [(0,), (1, 2), (3,)],
            "layers: '2': not captured: 2. Captured of 0 to 5: 0, 1+2 averaged, 3.",
        ),
        (
            "80%-100%",
            [(0,), (2,)],
            "layers: '80%-100%': nothing captured. Captured of 0 to 5: 0, 2.",
        ),
    ],
)
def test_what_was_not_captured_is_an_error_that_lists_what_was(text, captured, message):
    with pytest.raises(ConceptAttentionError) as error:
        pick(text, captured, 6, "layers")
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "captured", "places"),
    [
        ("-2:", SINGLE, (4, 5)),
        ("-2:", [(0,), (5,)], (1,)),
        ("-2:", [(0,), (1, 2)], (0, 1)),
        ("-9:", SINGLE, (0, 1, 2, 3, 4, 5)),
    ],
)
def test_a_default_takes_what_was_captured_of_it_else_everything(text, captured, places):
    assert pick_default(text, captured, 6, "layers") == places
