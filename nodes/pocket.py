"""Load Pocket Model: a tiny trained model that ships with the pack, as MODEL, CLIP and VAE."""

from typing import Any

import comfy.sd
import torch
from comfy.supported_models_base import ClipTarget
from comfy.text_encoders.cogvideo import CogVideoXTokenizer, cogvideo_te

from ..pocket import checkpoint
from ..pocket.prompts import CONCEPTS, TEXT_TOKENS
from ..pocket.vocabulary import check_text
from ._host import io

# What the user chooses -> whose file is loaded.
MODELS = {"FLUX.1": "flux", "SD3.5": "sd3"}
# Two layers of width 128; the host reads a T5's other sizes from its own configuration of T5 XXL.
_T5_SIZES = {"d_model": 128, "d_kv": 64, "num_heads": 2, "num_layers": 2, "d_ff": 384}


class PocketTokenizer(CogVideoXTokenizer):
    """The host's plain T5 tokenizer, which refuses words that the pocket model was never shown."""

    def tokenize_with_weights(self, text: str, return_word_ids: bool = False, **kwargs: Any) -> Any:
        """The host's tokens of a text of known words. Raises ConceptAttentionError for another."""
        return super().tokenize_with_weights(check_text(text), return_word_ids, **kwargs)


class LoadPocketModel(io.ComfyNode):
    """Loads one of the pack's own models, which run on a CPU."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The node's face."""
        return io.Schema(
            node_id="ConceptAttentionPocket",
            display_name="Load Pocket Model",
            category="Concept Attention",
            description=(
                "A tiny model of the FLUX.1 or the SD3.5 kind that ships with this pack: nothing "
                "to download, seconds on a CPU. It paints a little picture book at 256 x 256 and "
                f"knows these words: {', '.join(CONCEPTS)}. Use 20 steps, cfg 3, euler, simple."
            ),
            search_aliases=[
                "pocket",
                "tiny model",
                "demo model",
                "checkpoint loader",
                "heatmap",
                "concept attention",
                "interpretability",
            ],
            inputs=[
                io.Combo.Input(
                    "model",
                    options=list(MODELS),
                    default="FLUX.1",
                    optional=True,
                    tooltip="The kind of model. All know the same words and pictures; they differ "
                    "in how they are built, as the large models of these names do.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    display_name="MODEL",
                    tooltip="The diffusion transformer. Its pictures are 256 x 256.",
                ),
                io.Clip.Output(
                    display_name="CLIP",
                    tooltip="The text encoder, for prompts and concepts. A word that it does not "
                    "know is an error that lists the known ones.",
                ),
                io.Vae.Output(
                    display_name="VAE",
                    tooltip="Turns latents into pictures and pictures into latents.",
                ),
            ],
        )

    @classmethod
    def execute(cls, model: str = "FLUX.1") -> io.NodeOutput:
        """Read the file and hand its parts to the host's own loaders."""
        parts = checkpoint.read(MODELS[model])
        options = {"dtype": torch.float32}
        # The host empties the dict that it is given, and finds out by itself what model it is.
        loaded = comfy.sd.load_diffusion_model_state_dict(
            dict(parts.transformer), model_options=options
        )
        return io.NodeOutput(loaded, load_clip(parts), load_vae(parts))


def load_clip(parts: checkpoint.Parts) -> comfy.sd.CLIP:
    """The text encoder as the host's CLIP, padding every text as in training."""
    size = sum(value.numel() for value in parts.text.values())
    return comfy.sd.CLIP(
        ClipTarget(PocketTokenizer, cogvideo_te()),
        tokenizer_data={"t5xxl_min_length": TEXT_TOKENS},
        parameters=size,
        state_dict=[parts.text],
        model_options={"dtype": torch.float32, "t5xxl_model_config": _T5_SIZES},
    )


def load_vae(parts: checkpoint.Parts) -> comfy.sd.VAE:
    """The VAE as the host's TAESD with 16 latent channels."""
    vae = comfy.sd.VAE(sd=parts.vae, dtype=torch.float32)
    vae.throw_exception_if_invalid()
    return vae
