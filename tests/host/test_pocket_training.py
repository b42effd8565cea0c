"""What the pocket model is trained on and how: prompts with wrong words, batches, two losses."""

import math

import pytest
import torch

from concept_attention.pocket import book, checkpoint, fast, kinds, text, train, words
from concept_attention.pocket.prompts import SYNONYMS, TEXT_TOKENS, example
from concept_attention.pocket.things import THINGS
from concept_attention.pocket.world import GROUNDS, SKIES

SEEDS = range(40)


@pytest.fixture(scope="module")
def pages():
    """(seed, scene, prompt) of some examples that name something."""
    drawn = ((seed, *example(seed, dropped=0.0)) for seed in SEEDS)
    return [page for page in drawn if words.names_in(page[2])]


@pytest.fixture(scope="module")
def small_book():
    return book.Book(SEEDS, *checkpoint.stored_vae()[0])


def test_rows_are_the_host_s_tokens(pages):
    table = text.vocabulary()
    for _, drawn, prompt in pages:
        rows, verdicts = words.rows(prompt, drawn)
        assert [table[row] for row in rows] == text.token_ids(prompt)
        assert len(verdicts) == TEXT_TOKENS
        assert words.WRONG not in verdicts


def test_a_text_that_is_too_long_is_an_error():
    with pytest.raises(ValueError, match=f"more than {TEXT_TOKENS} tokens"):
        words.rows("a house " * TEXT_TOKENS, None)


def test_a_wrong_word_is_of_the_same_kind_and_wrong(pages):
    for seed, drawn, prompt in pages:
        changed = words.with_wrong_words(seed, drawn, prompt)
        pairs = zip(words.names_in(prompt), words.names_in(changed), strict=True)
        replaced = [(old, new) for old, new in pairs if old != new]
        assert replaced
        for old, new in replaced:
            assert not words.is_true(new, drawn)
            old, new = SYNONYMS.get(old, old), SYNONYMS.get(new, new)
            assert any(old in kind and new in kind for kind in (THINGS, GROUNDS, SKIES))
        assert words.WRONG in words.rows(changed, drawn)[1]


def test_batches_say_which_text_is_true(small_book):
    torch.manual_seed(0)
    batch = small_book.batch(64, half=False, names=0)
    assert batch.latents.shape == (64, 16, 32, 32)
    assert batch.rows.shape == batch.verdicts.shape == (64, TEXT_TOKENS)
    assert torch.equal(batch.true, (batch.verdicts != words.WRONG).all(1))
    assert 0 < batch.true.sum() < 64


@pytest.mark.parametrize("names", [1, book.NAME_SLOTS])
def test_names_can_stand_in_place_of_prompts(small_book, names):
    torch.manual_seed(0)
    batch = small_book.batch(32, half=True, names=names)
    assert batch.latents.shape == (32, 16, 16, 16)
    assert batch.things.shape == (32, 16, 16)
    assert batch.names.shape == batch.verdicts.shape == (32, names)
    assert torch.equal(batch.true, (batch.verdicts == words.RIGHT).all(1))
    assert batch.names.min() >= 0


def test_a_book_is_the_same_again(small_book):
    again = book.Book(SEEDS, *checkpoint.stored_vae()[0])
    assert torch.equal(again.full, small_book.full)
    assert torch.equal(again.rows, small_book.rows)


@pytest.fixture(params=("flux", "sd3"))
def kind(request):
    return kinds.KINDS[request.param]


@pytest.fixture
def model(kind):
    """A pocket model at the start of its training, no weight zero."""
    torch.manual_seed(0)
    model = train.Pocket(len(text.vocabulary()), kind)
    model.flow_scale = checkpoint.stored_vae()[0][0].norm(dim=1)[:, None, None]
    for weight in model.parameters():  # the zeros of a fresh model would stop every gradient
        weight.data.add_(torch.randn_like(weight), alpha=0.02)
    return model


# What the host multiplies a flow's time by before it hands it to the model.
TIMES = {"flux": 1, "sd3": 1000}


@pytest.mark.parametrize("grid", [(4, 6), (5, 3)])
def test_the_blocks_that_are_trained_are_the_host_s(kind, model, grid):
    rows, columns = grid
    x, context = torch.randn(2, 16, 2 * rows, 2 * columns), torch.randn(2, 5, text.WIDTH)
    time = torch.tensor([0.3, 0.8])
    with torch.inference_mode():
        wanted = model.transformer(x, time * TIMES[kind.name], context)
        found, looks = kind.code.forward(model.transformer, x, time, context, 1.0)
    error = (found - fast.to_tokens(wanted)).abs().max() / wanted.abs().max()
    assert error < 1e-5
    assert looks.shape == (4, 2, 5)
    assert looks.min() >= 0 and looks.max() <= 1


def test_both_losses_train_every_weight_that_they_can_reach(small_book, model):
    flow, looks = train.losses(model, small_book.batch(8, True, 0), 3.0, half=True)
    assert flow > 0 and looks > 0
    (flow + looks).backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_muon_has_the_matrices_of_the_blocks_and_adamw_the_rest(kind, model):
    muon, adamw = train.build_optimisers(model)
    first = {id(p) for group in muon.param_groups for p in group["params"]}
    second = {id(p) for group in adamw.param_groups for p in group["params"]}
    assert not first & second
    assert first | second == {id(p) for p in model.parameters()}
    names = {id(weight): name for name, weight in model.transformer.named_parameters()}
    blocks = {names[key] for key in first if key in names}
    assert all(name.split(".")[0].endswith("blocks") for name in blocks)
    assert any("qkv" in name for name in blocks) and not any("mod" in name for name in blocks)


def test_a_warm_start_is_the_pocket_flux_but_for_heads_positions_and_single_blocks(monkeypatch):
    """Of two models that attend to everything alike and know no positions, those make no
    difference.
    """
    parts, vocabulary = checkpoint.read(), text.vocabulary()
    pocket = train.Pocket(len(vocabulary), kinds.KINDS["sd3"])
    pocket.warm_start(parts, vocabulary)
    nowhere = torch.zeros(1, 6, 256)
    monkeypatch.setattr(pocket.transformer, "cropped_pos_embed", lambda hw, device: nowhere)
    flux = kinds.build_flux()
    flux.load_state_dict(parts.transformer)
    flux.single_blocks = torch.nn.ModuleList()
    for name, weight in (*flux.named_parameters(), *pocket.named_parameters()):
        if name.endswith(("query_norm.weight", "ln_q.weight")):
            weight.data.zero_()
    torch.manual_seed(0)
    x, time, context = torch.randn(2, 16, 4, 6), torch.rand(2), torch.randn(2, 5, text.WIDTH)
    with torch.inference_mode():
        wanted = flux(x, time, context)
        assert torch.allclose(pocket.transformer(x, time * 1000, context), wanted, atol=1e-4)


def test_a_warm_start_has_the_pocket_flux_s_text_encoder():
    parts, vocabulary = checkpoint.read(), text.vocabulary()
    pocket = train.Pocket(len(vocabulary), kinds.KINDS["sd3"])
    pocket.warm_start(parts, vocabulary)
    for key, weight in pocket.text.state_dict().items():
        rows = vocabulary if key == "shared.weight" else slice(None)
        assert torch.equal(weight, parts.text[key][rows])


class Wrong:
    """A model whose flow is far off for texts with wrong words, and that looks half of the time."""

    alone, flow_scale = torch.zeros(1), torch.ones(16, 1, 1)

    def __init__(self, batch):
        self.far = torch.where(batch.true, 0.0, 1e6)[:, None, None]

    def context(self, rows, names):
        return rows

    def __call__(self, noisy, times, context, stride):
        looks = torch.full((4, *context.shape), 0.5)
        return self.far.expand_as(fast.to_tokens(noisy)), looks


def test_texts_with_wrong_words_have_no_part_in_the_flow(small_book):
    torch.manual_seed(0)
    batch = small_book.batch(8, True, 0)
    assert (~batch.true).any()
    flow, looks = train.losses(Wrong(batch), batch, 3.0, half=True)
    assert flow < 100
    assert looks == pytest.approx(math.log(2))
