"""Attention of the concepts and the score, against plain full-precision arithmetic."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from concept_attention.core.attention import attend, average, matmul, rotate, score

ROUNDING = 1e-6  # of the largest magnitude: float32 sums in another order
# Processors sum in different orders; the error of n random terms grows with the square root of n.
ROUNDING_OF_A_TERM = 2.0**-24
SHAPES = [(1, 1, 1, 1, 8), (2, 3, 4, 35, 16), (1, 2, 3, 2500, 32)]  # B, heads, C, N, d


def _normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def _error(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def _rounding(terms):
    return max(ROUNDING, ROUNDING_OF_A_TERM * terms**0.5)


def _tensors(batch, heads, concepts, tokens, width, dtype=torch.float32):
    """q, own k, own v, and the image's part of the host's k and v behind 6 text tokens."""
    own = [_normal(batch, heads, concepts, width, seed=i, dtype=dtype) for i in range(3)]
    k, v = (_normal(batch, heads, 6 + tokens, width, seed=i, dtype=dtype) for i in (3, 4))
    return *own, k[:, :, 6:], v[:, :, 6:]


def _plain(q, own_k, own_v, image_k, image_v):
    """One softmax over the joined keys, in float64."""
    k, v = torch.cat([own_k, image_k], 2).double(), torch.cat([own_v, image_v], 2).double()
    weights = torch.softmax(q.double() @ k.mT / q.shape[-1] ** 0.5, dim=-1)
    return (weights @ v).transpose(1, 2).flatten(2)


@pytest.mark.parametrize("shape", SHAPES)
def test_attend_is_one_softmax_over_concepts_and_image(shape):
    tensors = _tensors(*shape)
    out = attend(*tensors)
    batch, heads, concepts, tokens, width = shape
    assert out.shape == (batch, concepts, heads * width)
    assert out.dtype == torch.float32
    assert _error(out, _plain(*tensors)) < _rounding(concepts + tokens)


@pytest.mark.parametrize(
    ("dtype", "rounding"), [(torch.bfloat16, 2.0**-8), (torch.float16, 2.0**-11)], ids=str
)
@pytest.mark.parametrize("shape", SHAPES)
def test_attend_in_half_precision_rounds_the_weights_only(shape, dtype, rounding):
    tensors = _tensors(*shape, dtype=dtype)
    out = attend(*tensors)
    assert out.dtype == torch.float32
    assert _error(out, _plain(*tensors)) < rounding


def test_attend_by_hand():
    """Two concepts, one image token, vectors of one number: weights 1/2, 1/4, 1/4."""
    q, own_k = torch.ones(1, 1, 2, 1), torch.tensor([2.0, 1.0]).log().reshape(1, 1, 2, 1)
    own_v = torch.tensor([4.0, 8.0]).reshape(1, 1, 2, 1)
    image_k, image_v = torch.zeros(1, 1, 1, 1), torch.full((1, 1, 1, 1), 16.0)
    out = attend(q, own_k, own_v, image_k, image_v)
    torch.testing.assert_close(out, torch.full((1, 2, 1), 8.0))


def test_large_logits_do_not_overflow():
    q, own_k, own_v, image_k, image_v = _tensors(1, 2, 3, 35, 16)
    out = attend(q * 1e3, own_k, own_v, image_k, image_v)
    assert torch.isfinite(out).all()


class _Copies(TorchDispatchMode):
    """Sizes of all results that are new memory, by the operation that made them."""

    def __init__(self):
        super().__init__()
        self.made = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        sources = {a.untyped_storage().data_ptr() for a in args if isinstance(a, torch.Tensor)}
        for result in out if isinstance(out, (tuple, list)) else [out]:
            if result.untyped_storage().data_ptr() not in sources:
                self.made.append((str(func), result.numel()))
        return out


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_image_keys_values_and_vectors_are_not_copied(dtype):
    """Nothing as big as the image's keys is made, whatever the layout of the slice.

    Half precision is widened in slices where there is no product of it with a float32 result.
    """
    batch, heads, concepts, tokens, width = 1, 2, 3, 4096, 64
    tensors = _tensors(batch, heads, concepts, tokens, width, dtype=dtype)
    image_out = _normal(batch, tokens + 6, heads * width, dtype=dtype)[:, 6:]
    with _Copies() as copies:
        concept_out = attend(*tensors)
        score(concept_out, image_out)
    image = batch * heads * tokens * width
    limit = heads * concepts * (concepts + tokens) if dtype == torch.float32 else image // 4
    assert max(size for _, size in copies.made) <= limit < image


def test_a_slice_of_a_bigger_batch_is_not_copied():
    """Rows of the positive prompt out of a batch with negatives."""
    q, own_k, own_v, image_k, image_v = _tensors(4, 2, 3, 4096, 64)
    rows = slice(1, 3)
    with _Copies() as copies:
        out = attend(q[rows], own_k[rows], own_v[rows], image_k[rows], image_v[rows])
    assert max(size for _, size in copies.made) <= 2 * 2 * 3 * (3 + 4096)
    wanted = _plain(q, own_k, own_v, image_k, image_v)[rows]
    assert _error(out, wanted) < _rounding(3 + 4096)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_keys_with_heads_side_by_side_are_not_copied(dtype):
    """As SD3 and CogVideoX have them: [B, L, heads, d], turned to [B, heads, L, d]."""
    batch, heads, concepts, tokens, width = 2, 3, 2, 4096, 64
    tensors = _tensors(batch, heads, concepts, tokens, width, dtype=dtype)
    turned = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in tensors]
    with _Copies() as copies:
        out = attend(*turned)
    image = heads * tokens * width  # of one batch item
    limit = heads * concepts * (concepts + tokens) if dtype == torch.float32 else image // 4
    assert max(size for _, size in copies.made) <= limit < image
    assert _error(out, attend(*tensors)) < _rounding(concepts + tokens)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_score_is_the_dot_product_to_float32_precision(dtype, scale):
    concept_out = _normal(2, 5, 384) * scale
    image_out = _normal(2, 1100, 384, seed=1, dtype=dtype)
    found = score(concept_out, image_out)
    assert found.dtype == torch.float32
    assert found.shape == (2, 5, 1100)
    assert _error(found, concept_out.double() @ image_out.double().mT) < ROUNDING


def test_a_concept_of_two_tokens_has_the_mean_of_their_scores():
    """A concept of two tokens and one of one token on a 2 x 3 grid, every number by hand."""
    out = torch.tensor([[[1.0, 0.0], [3.0, 2.0], [0.0, 5.0]]])
    image = torch.tensor([[[1.0, 0], [0, 1], [1, 1], [2, 0], [0, 2], [-1, 0]]])
    assert score(out, image)[0].tolist() == [
        [1, 0, 1, 2, 0, -1],
        [3, 2, 5, 6, 4, -3],
        [0, 5, 5, 0, 10, 0],
    ]
    own = average(out, (2, 1))
    assert own[0].tolist() == [[2, 1], [0, 5]]
    assert score(own, image)[0].tolist() == [[2, 1, 3, 4, 2, -2], [0, 5, 5, 0, 10, 0]]


def test_concepts_of_one_token_are_not_touched():
    out = _normal(2, 5, 384)
    assert average(out, (1,) * 5) is out
    mixed = average(out, (1, 3, 1))
    assert torch.equal(mixed[:, [0, 2]], out[:, [0, 4]])
    assert torch.equal(mixed[:, 1], out[:, 1:4].mean(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("sides", [(3, 40, 3000), (3, 3000, 40), (1, 1, 1)])
def test_matmul_gives_float32(dtype, sides):
    rows, inner, columns = sides
    a, b = _normal(2, rows, inner, dtype=dtype), _normal(2, inner, columns, seed=1, dtype=dtype)
    assert matmul(a, b).dtype == torch.float32
    assert _error(matmul(a, b), a.double() @ b.double()) < 2 * ROUNDING


def test_rotate_turns_pairs_by_their_matrices():
    quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    angles = torch.stack([torch.eye(2), quarter]).reshape(1, 1, 1, 2, 2, 2)
    x = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 1, 4)
    assert rotate(x, angles).flatten().tolist() == [1.0, 2.0, -4.0, 3.0]
    assert rotate(x.bfloat16(), angles).dtype == torch.bfloat16
