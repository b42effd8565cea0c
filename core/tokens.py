"""Which token stands for a concept.

A text encoder wraps a concept in tokens of its own: a chat template, start and end marks, padding.
None of these says anything about the concept, and in a template they are the same for all concepts.
The concept's own tokens are found by comparing its token sequence with that of the empty text.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .errors import ConceptAttentionError

CHOICES = ("auto", "first", "last", "mean", "all")
_USED = {
    "first": "first token",
    "last": "last token",
    "mean": "mean of embeddings",
    "all": "all tokens",
}
KINDS = ("auto", "CLIP", "T5")


@dataclass(frozen=True)
class Encoder:
    """A text encoder whose output a supported model reads.

    name: what concepts are marked with. models: the models it belongs to, for errors. auto: the
    token that `auto` takes. padding: the id that fills a sequence up. tokens: the host's token list
    of it, which is its name unless said otherwise. beside: token lists that may come with it;
    needs: those that must. mute: ids that carry no text: the unknown token, a word boundary alone.
    kind: one of KINDS, for users to choose by. parts: the host's modules that make it up, any of
    which may be missing. headless: the host cuts rows before the content, those of a template's
    beginning, off the output.
    """

    name: str
    models: str
    auto: str
    padding: int
    beside: frozenset[str] = frozenset()
    mute: frozenset[int] = frozenset()
    needs: frozenset[str] = frozenset()
    tokens: str = ""
    kind: str = ""
    parts: tuple[str, ...] = ()
    headless: bool = False

    def resolve(self, choice: str) -> str:
        """The choice that `auto`, or another of CHOICES, means for this encoder.

        Raises ConceptAttentionError for any other word.
        """
        if choice not in CHOICES:
            raise ConceptAttentionError(f"tokens: {choice!r} is not one of {', '.join(CHOICES)}.")
        return self.auto if choice == "auto" else choice

    @property
    def list_name(self) -> str:
        """The key of its token list."""
        return self.tokens or self.name

    def fits(self, names: frozenset[str]) -> bool:
        """Whether the host's token lists are those of a model that it feeds."""
        own = {self.list_name}
        return own | self.needs <= names <= own | self.beside | self.needs


# T5 reads both ways, and any of its tokens may carry a concept: in "the house" the last, in "house
# on grass" the first. All of them together were best over all forms (BENCHMARKS.md). The paper's
# code takes the first, which is the same for words of one token. The others read left to right:
# only the last token has seen the whole concept (for FLUX.2 the paper's code takes token 510 of
# 512, the one before the template's closing token).
# SD3's text is CLIP's rows (both CLIPs side by side, filled up with the end token), then T5's.
_T5_MUTE = frozenset({2, 3})
ENCODERS = (
    Encoder(
        "t5xxl",
        "FLUX.1, CogVideoX, Chroma",
        "all",
        padding=0,
        beside=frozenset({"l"}),
        mute=_T5_MUTE,
        kind="T5",
        parts=("t5xxl",),
    ),
    Encoder(
        "clip_l+clip_g",
        "SD3",
        "last",
        padding=49407,
        needs=frozenset({"g", "t5xxl"}),
        tokens="l",
        kind="CLIP",
        parts=("clip_l", "clip_g"),
    ),
    Encoder(
        "t5xxl",
        "SD3",
        "all",
        padding=0,
        needs=frozenset({"l", "g"}),
        mute=_T5_MUTE,
        kind="T5",
        parts=("t5xxl",),
    ),
    Encoder("mistral3_24b", "FLUX.2 dev", "last", padding=11),
    Encoder("qwen3_4b", "FLUX.2 Klein 4B, Z-Image", "last", padding=151643),
    Encoder("qwen3_8b", "FLUX.2 Klein 9B", "last", padding=151643),
    Encoder(
        "qwen25_7b",
        "Qwen-Image, HunyuanVideo 1.5",
        "last",
        padding=151643,
        mute=frozenset({220}),
        headless=True,
    ),
    Encoder("gemma2_2b", "Lumina Image 2", "last", padding=0),
    Encoder(
        "llama",
        "HunyuanVideo",
        "last",
        padding=128258,
        needs=frozenset({"l"}),
        headless=True,
    ),
)


def find_encoders(names: Iterable[str]) -> tuple[Encoder, ...]:
    """The encoders that feed the joint attention, among those that the host's CLIP tokenises for,
    in the order of their rows.

    names: the keys of the host's token lists. Raises ConceptAttentionError for an unknown set.
    """
    names = frozenset(names)
    if found := tuple(encoder for encoder in ENCODERS if encoder.fits(names)):
        return found
    supported = ", ".join(f"{encoder.name} ({encoder.models})" for encoder in ENCODERS)
    named = " + ".join(sorted(names)) or "of an unknown kind"
    raise ConceptAttentionError(
        f"clip: its text encoder ({named}) belongs to no supported model. Supported: {supported}."
    )


def pick_encoder(encoders: Sequence[Encoder], kind: str) -> Encoder:
    """The encoder of a kind, one of KINDS; `auto` is the first (CLIP for SD3, as in the paper).

    Raises ConceptAttentionError for a kind that the model has no encoder of.
    """
    if kind not in KINDS:
        raise ConceptAttentionError(f"encoder: {kind!r} is not one of {', '.join(KINDS)}.")
    for encoder in encoders:
        if kind in ("auto", encoder.kind):
            return encoder
    found = ", ".join(encoder.name for encoder in encoders)
    raise ConceptAttentionError(
        f"encoder: {kind} was chosen, but of this clip's text encoders only {found} can give "
        "concepts. Choose auto."
    )


def content_span(
    tokens: Sequence[int], empty: Sequence[int], padding: int, mute: Collection[int] = ()
) -> range:
    """Indexes of a concept's own tokens in its sequence.

    tokens: ids of the concept, with all that the encoder wraps around it, padded on either side.
    empty: likewise for the empty text; without its padding it is what stands before and after the
    concept, and perhaps, in the concept's place, one of the ids in `mute`: HunyuanVideo 1.5 knows
    no empty text and reads a blank. A concept that begins with the token that follows it would be
    cut one token late: that token is a control token in every encoder, which check_content refuses.
    Raises
    ConceptAttentionError if `tokens` is not `empty` with something put in.
    """
    inside = _without_padding(tokens, padding)
    outside = _without_padding(empty, padding)
    ids = [tokens[i] for i in inside]
    wrapping = [empty[i] for i in outside]
    before = 0
    if len(blank := [i for i, token in enumerate(wrapping) if token in mute]) == 1:
        del wrapping[blank[0]]
    while before < min(len(ids), len(wrapping)) and ids[before] == wrapping[before]:
        before += 1
    after = len(wrapping) - before
    if len(ids) <= len(wrapping) or ids[len(ids) - after :] != wrapping[before:]:
        raise ConceptAttentionError(
            "clip: its tokenizer does not put a concept whole into its template, so the concept's "
            f"own tokens cannot be told: {len(ids)} tokens with it, {len(wrapping)} without."
        )
    return range(inside.start + before, inside.stop - after)


def check_content(
    label: str, content: Sequence[int], control: Collection[int], encoder: Encoder
) -> None:
    """Refuse text that the encoder does not read as text.

    content: the ids of the concept's own tokens. control: ids with a meaning of their own (marks
    of template, start, end, padding). Raises ConceptAttentionError for a control token in the
    concept and for a concept without any token that the encoder knows.
    """
    known = set(content) - encoder.mute
    if known & set(control):
        raise ConceptAttentionError(
            f'concepts or background: "{label}" holds a control token of the text encoder '
            f"{encoder.name}, which is not read as text. Remove it."
        )
    if not known:
        raise ConceptAttentionError(
            f"concepts or background: the text encoder {encoder.name} knows no letter of "
            f'"{label}", so its heatmap would mean nothing. Write it in another script.'
        )


def choose(span: range, content: Sequence[int], choice: str, encoder: Encoder) -> tuple[int, ...]:
    """Indices of the tokens that a resolved choice takes; those that carry no text are left out.

    span, content: indices and ids of the concept's own tokens, which check_content accepted.
    """
    own = tuple(i for i, token in zip(span, content, strict=True) if token not in encoder.mute)
    return {"first": own[:1], "last": own[-1:]}.get(choice, own)


def describe(label: str, split: Sequence[str], choice: str) -> str:
    """How a concept was split, and which tokens are used: `skyscraper: sky|scraper (all tokens)`.

    split, choice: as in `explain`.
    """
    return f"{label}: {explain(split, choice)}"


def explain(split: Sequence[str], choice: str) -> str:
    """A concept's tokens, and which of several are used: `sky|scraper (all tokens)`.

    split: the tokens' texts; one without letters of its own is shown as a dot. choice: resolved.
    """
    tokens = "|".join(text or "\u00b7" for text in split)
    return f"{tokens} ({_USED[choice]})" if len(split) > 1 else tokens


def _without_padding(tokens: Sequence[int], padding: int) -> range:
    start, stop = 0, len(tokens)
    while start < stop and tokens[start] == padding:
        start += 1
    while stop > start and tokens[stop - 1] == padding:
        stop -= 1
    return range(start, stop)
