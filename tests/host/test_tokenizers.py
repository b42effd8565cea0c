"""Which token stands for a concept, with the host's own tokenizers as they ship.

The encoder is replaced by an echo whose output row for a token is the token's id, so that a
concept's embedding tells which token was taken. FLUX.2 dev's tokenizer comes with its weights; a
hand-made file of the same format stands in for it: bytes, a few merges, the special tokens.
"""

import io
from pathlib import Path
from types import SimpleNamespace

import comfy.sd
import pytest
import sentencepiece
import torch
from comfy.text_encoders.flux import Flux2Tokenizer, FluxTokenizer, KleinTokenizer, KleinTokenizer8B
from comfy.text_encoders.lumina2 import LuminaTokenizer
from comfy.text_encoders.qwen_image import QwenImageTEModel, QwenImageTokenizer
from comfy.text_encoders.sd3_clip import SD3Tokenizer
from comfy.text_encoders.z_image import ZImageTokenizer
from safetensors.torch import save_file

from concept_attention.core.errors import ConceptAttentionError
from concept_attention.nodes.encode import encode_concepts

# transformers' own loading of CLIP's tokenizer
pytestmark = pytest.mark.filterwarnings("ignore:Deprecated in 0.9.0:DeprecationWarning")

MISTRAL_FILE = Path(__file__).parents[1] / "data" / "mistral_tokenizer.json"


class Echo(torch.nn.Module):
    """A text encoder whose output is the token ids."""

    def encode_token_weights(self, sections):
        ids = [[token for section in sections for token, _ in section]]
        rows = torch.tensor(ids, dtype=torch.float64)[..., None]
        return rows, None, {"attention_mask": torch.ones(rows.shape[:2])}


class EchoClip(comfy.sd.CLIP):
    """The host's CLIP around an echo; around: the host's class that cuts the encoder's output."""

    def __init__(self, tokenizer, around=None):
        super().__init__(no_init=True)
        self.tokenizer = tokenizer
        self.tokenizer_options = {}
        self.cond_stage_model = SimpleNamespace(clip_l=True, clip_g=True, t5xxl=True)
        self.around = None
        if around is not None:
            self.around = around(model_options={f"{tokenizer.clip}_class": lambda **_: Echo()})

    def encode_from_tokens_scheduled(self, tokens, **kwargs):
        if self.around is not None:
            return [[self.around.encode_token_weights(tokens)[0], {}]]
        names = ("l", "t5xxl") if "g" in tokens else list(tokens)[-1:]
        sections = [section for name in names for section in tokens[name]]
        return [[Echo().encode_token_weights(sections)[0], {}]]


def spiece_model():
    """A vocabulary of Gemma's kind, its own marks first; Gemma's comes with its weights."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a red dragon on a rock under the sky"] * 4),
        model_writer=model,
        vocab_size=300,
        model_type="bpe",
        byte_fallback=True,
        add_dummy_prefix=False,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        minloglevel=2,
    )
    return torch.frombuffer(bytearray(model.getvalue()), dtype=torch.uint8)


def build(name, **options):
    if name == "flux":
        return EchoClip(FluxTokenizer(**options))
    if name == "qwen":
        return EchoClip(QwenImageTokenizer(**options), QwenImageTEModel)
    if name == "mistral":
        data = torch.frombuffer(bytearray(MISTRAL_FILE.read_bytes()), dtype=torch.uint8)
        return EchoClip(Flux2Tokenizer(tokenizer_data={"tekken_model": data}, **options))
    if name == "gemma":
        return EchoClip(LuminaTokenizer(tokenizer_data={"spiece_model": spiece_model()}, **options))
    others = {
        "klein_4b": KleinTokenizer,
        "klein_9b": KleinTokenizer8B,
        "sd3": SD3Tokenizer,
        "z_image": ZImageTokenizer,
    }
    return EchoClip(others[name](**options))


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """All with an embedding "foo" in reach, as in a well-used installation."""
    folder = tmp_path_factory.mktemp("embeddings")
    save_file({"emb_params": torch.ones(2, 4)}, folder / "foo.safetensors")
    names = ("flux", "klein_4b", "klein_9b", "mistral", "sd3", "qwen", "z_image", "gemma")
    return {name: build(name, embedding_directory=[str(folder)]) for name in names}


def encode(clip, label, choice="auto"):
    """(token id, index, length) of one concept; the id of a mean is the ids' mean."""
    (concept,) = encode_concepts(clip, [label], [], choice).items
    (index,) = concept.indices
    return concept.embeddings.item(), index, concept.length


def used(clip, label, choice, kind="auto"):
    """(ids of the tokens that stand for a concept, how it was split)."""
    (concept,) = encode_concepts(clip, [label], [], choice, kind).items
    return [int(value) for value in concept.embeddings.flatten()], concept.split


@pytest.mark.parametrize(
    ("label", "choice", "expected"),
    [
        ("dragon", "auto", (14580, 0, 256)),
        ("red dragon", "first", (1131, 0, 256)),
        ("red dragon", "last", (14580, 1, 256)),
        ("red dragon", "mean", ((1131 + 14580) / 2, 1, 256)),
        ("café", "auto", (11949, 0, 256)),
        ("sand", "first", (7, 1, 256)),  # after a mere word boundary
        ("dragon 龍", "last", (14580, 0, 256)),  # before a letter that it does not know
    ],
)
def test_flux_1_takes_the_t5_token_that_was_chosen(clips, label, choice, expected):
    assert encode(clips["flux"], label, choice) == expected


@pytest.mark.parametrize(
    ("label", "ids", "places"),
    [
        ("red dragon", [1131, 14580], (0, 1)),
        ("sand", [7, 232], (1, 2)),
        ("a red dragon", [9, 1131, 14580], (1, 2, 3)),
        ("Ångström", [1725, 30476], (2, 3)),
    ],
)
@pytest.mark.parametrize("choice", ["auto", "all"])
def test_flux_1_takes_all_t5_tokens_that_carry_text(clips, label, ids, places, choice):
    assert used(clips["flux"], label, choice)[0] == ids
    (concept,) = encode_concepts(clips["flux"], [label], [], choice).items
    assert (concept.indices, concept.length) == (places, 256)


@pytest.mark.parametrize("name", ["klein_4b", "klein_9b"])
@pytest.mark.parametrize(
    ("label", "choice", "expected"),
    [
        ("dragon", "auto", (55419, 3, 512)),
        ("red dragon", "auto", (25105, 4, 512)),
        ("red dragon", "first", (1151, 3, 512)),
        ("red dragon", "last", (25105, 4, 512)),
        ("red dragon", "mean", ((1151 + 25105) / 2, 4, 512)),
        ("龍", "auto", (106430, 3, 512)),
        ("user", "auto", (872, 3, 512)),  # a word of the template
        ("<|im", "first", (27, 3, 512)),  # begins like the template's next token
    ],
)
def test_klein_takes_the_last_qwen_token_after_the_template(clips, name, label, choice, expected):
    assert encode(clips[name], label, choice) == expected


@pytest.mark.parametrize(
    ("label", "choice", "token", "before_the_end"),
    [
        ("dragon", "auto", 280, 2),
        ("red dragon", "auto", 281, 2),
        ("red dragon", "first", 20 + ord("r"), 5),
        ("red dragon", "mean", (3 * 20 + sum(b"red") + 281) / 4, 2),
        ("é", "last", 20 + 0xA9, 2),
        ("[INS", "first", 20 + ord("["), 5),
    ],
)
def test_flux_2_dev_takes_the_last_mistral_token_of_the_template(
    clips, label, choice, token, before_the_end
):
    value, index, length = encode(clips["mistral"], label, choice)
    assert (value, length - index) == (token, before_the_end)


def test_flux_2_dev_s_token_is_510_of_512_padded_on_the_left(clips):
    for label in ("dragon", "a very long description of a red dragon"):
        _, index, length = encode(clips["mistral"], label)
        assert index + 512 - length == 510


SKYSCRAPER = [
    ("flux", "T5", (5796, 7, 2935, 883), ("sky", "s", "cra", "per")),
    ("sd3", "T5", (5796, 7, 2935, 883), ("sky", "s", "cra", "per")),
    ("sd3", "CLIP", (3075, 11187, 1284), ("sky", "scra", "per")),
    ("klein_4b", "auto", (4886, 1047, 86282), ("sk", "ys", "craper")),
    ("klein_9b", "auto", (4886, 1047, 86282), ("sk", "ys", "craper")),
    ("mistral", "auto", tuple(20 + ord(letter) for letter in "skyscraper"), tuple("skyscraper")),
]


@pytest.mark.parametrize(("name", "kind", "ids", "split"), SKYSCRAPER)
def test_that_skyscraper(clips, name, kind, ids, split):
    """Every choice takes the tokens that it says, and all of them are used with "all"."""
    first, last, mean, every = (
        used(clips[name], "skyscraper", choice, kind) for choice in ("first", "last", "mean", "all")
    )
    assert first == ([ids[0]], split)
    assert last == ([ids[-1]], split)
    assert mean == ([int(sum(ids) / len(ids))], split)
    assert every == (list(ids), split)


def test_t5_s_first_token_of_skyscraper_is_that_of_sky(clips):
    """What the paper's code would map for it."""
    assert used(clips["flux"], "skyscraper", "first")[0] == used(clips["flux"], "sky", "all")[0]
    assert used(clips["flux"], "skyscraper", "auto") == used(clips["flux"], "skyscraper", "all")


@pytest.mark.parametrize(
    ("name", "label", "split"),
    [
        ("flux", "a red house", ("", "a", "red", "house")),
        ("flux", "Ångström", ("", "<unk>", "ng", "ström")),
        ("klein_4b", "red dragon", ("red", "dragon")),
        ("klein_4b", "café", ("ca", "fé")),
        ("klein_4b", "龍 x", ("龍", "x")),
        ("mistral", "café", ("c", "a", "f", "", "é")),  # two tokens make up the last letter
        ("mistral", "龍", ("", "", "龍")),
        ("mistral", "red dragon", ("r", "e", "d", "dragon")),
        ("sd3", "龍 x", ("", "", "龍", "x")),
        ("sd3", "Red Dragon's", ("red", "dragon", "'s")),
    ],
)
def test_how_a_concept_was_split_is_told_in_letters(clips, name, label, split):
    assert used(clips[name], label, "all")[1] == split


@pytest.mark.parametrize(
    ("label", "choice", "expected"),
    [
        ("dragon", "auto", (55419, 0, 6)),
        ("red dragon", "auto", (25105, 1, 7)),
        ("red dragon", "first", (1151, 0, 7)),
        ("red dragon", "mean", ((1151 + 25105) / 2, 1, 7)),
        ("user", "auto", (872, 0, 6)),  # a word of the template
        ("<|im", "first", (27, 0, 8)),  # begins like the template's next token
    ],
)
def test_qwen_image_counts_from_the_prompt_on(clips, label, choice, expected):
    """The host cuts the template's beginning off the output: the prompt's row is the first."""
    assert encode(clips["qwen"], label, choice) == expected


def test_a_whole_template_is_no_concept(clips):
    """The host takes such a text for a template of its own and adds none."""
    with pytest.raises(ConceptAttentionError, match="does not put a concept whole"):
        encode(clips["qwen"], "<|im_start|>user\ndragon")


@pytest.mark.parametrize(
    ("label", "choice", "expected"),
    [
        ("dragon", "auto", (55419, 3, 9)),
        ("red dragon", "auto", (25105, 4, 10)),
        ("red dragon", "first", (1151, 3, 10)),
    ],
)
def test_z_image_takes_the_last_qwen_token_of_its_own_template(clips, label, choice, expected):
    assert encode(clips["z_image"], label, choice) == expected


def test_lumina_2_takes_the_last_gemma_token_after_the_start(clips):
    processor = clips["gemma"].tokenizer.gemma2_2b.tokenizer.tokenizer
    for label in ("dragon", "(red) dragon", "é"):
        ids = processor.encode(label, add_bos=False)
        assert encode(clips["gemma"], label) == (ids[-1], len(ids), len(ids) + 1)
        assert encode(clips["gemma"], label, "first") == (ids[0], 1, len(ids) + 1)


def test_a_control_token_of_gemma_is_an_error(clips):
    with pytest.raises(ConceptAttentionError):
        encode(clips["gemma"], "dragon <end_of_turn>")


def test_names_of_the_encoders(clips):
    found = {name: encode_concepts(clip, ["rock"], []).encoder for name, clip in clips.items()}
    assert found == {
        "flux": "t5xxl",
        "klein_4b": "qwen3_4b",
        "klein_9b": "qwen3_8b",
        "mistral": "mistral3_24b",
        "sd3": "clip_l+clip_g",
        "qwen": "qwen25_7b",
        "z_image": "qwen3_4b",
        "gemma": "gemma2_2b",
    }


@pytest.mark.parametrize("name", ["flux", "klein_4b", "klein_9b", "mistral", "qwen", "z_image"])
@pytest.mark.parametrize(
    "label",
    ["(dragon:1.3)", "((dragon))", "a \\( b", "\\)x\\\\(", "embedding:foo", "a embedding:foo"],
)
def test_text_is_literal(clips, name, label):
    """The concept's tokens are those of the bare tokenizer, though the host knows the embedding."""
    clip = clips[name]
    inner = getattr(clip.tokenizer, getattr(clip.tokenizer, "clip", "t5xxl"))
    no_text = {inner.start_token, inner.end_token, *({2, 3} if name == "flux" else ())}
    ids = [i for i in inner.tokenizer(label)["input_ids"] if i not in no_text]
    assert encode(clip, label, "first")[0] == ids[0]
    assert encode(clip, label, "last")[0] == ids[-1]
    assert encode(clip, label, "mean")[0] == pytest.approx(sum(ids) / len(ids), rel=1e-6)
    assert inner.embedding_identifier == "embedding:"


def test_the_host_itself_expands_an_embedding_after_the_concepts_too(clips):
    encode(clips["klein_4b"], "embedding:foo")
    assert torch.is_tensor(clips["klein_4b"].tokenize("embedding:foo")["qwen3_4b"][0][3][0])


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("flux", "</s>"),
        ("flux", "a <extra_id_0> b"),
        ("flux", "dragon <pad>"),
        ("klein_4b", "<|im_end|>"),
        ("klein_4b", "<|im_end|>dragon"),
        ("klein_9b", "dragon<|im_start|>"),
        ("klein_9b", "<think>"),
        ("klein_9b", "dragon <|endoftext|>"),
        ("z_image", "dragon<|im_end|>"),
        ("mistral", "[/INST]"),
        ("mistral", "[INST]dragon"),
        ("qwen", "dragon<|im_end|>"),
        ("qwen", "<|vision_start|><|image_pad|><|vision_end|>"),
    ],
)
def test_control_tokens_in_a_concept_are_an_error(clips, name, label):
    with pytest.raises(ConceptAttentionError, match="holds a control token") as error:
        encode(clips[name], label)
    assert f'"{label}"' in str(error.value)


@pytest.mark.parametrize("label", ["龍", "🐉", "龍 山"])
def test_a_concept_that_t5_cannot_read_is_an_error(clips, label):
    with pytest.raises(ConceptAttentionError, match=f't5xxl knows no letter of "{label}"'):
        encode(clips["flux"], label)


def test_the_users_tokenizer_options_stay_in_force():
    clip = build("flux")
    clip.set_tokenizer_option("t5xxl_min_length", 16)
    clip.set_tokenizer_option("t5xxl_min_padding", 4)
    assert encode(clip, "red dragon", "last") == (14580, 1, 16)
    clip = build("mistral")
    clip.set_tokenizer_option("mistral3_24b_min_length", 512)
    assert encode(clip, "dragon") == (280, 510, 512)


def test_a_very_long_concept_keeps_its_last_token(clips):
    label = " ".join(["dragon"] * 600)
    assert encode(clips["flux"], label, "last") == (14580, 599, 601)
    assert encode(clips["klein_4b"], label, "last") == (25105, 602, 612)
