"""Load Pocket Model: a tiny trained model that ships with the pack, as MODEL, CLIP and VAE."""

from typing import Any

import comfy.sd
import torch
from comfy.model_patcher import ModelPatcher
from comfy.supported_models_base import ClipTarget
from comfy.text_encoders.cogvideo import CogVideoXTokenizer, cogvideo_te
from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete

from ..pocket import checkpoint, clips
from ..pocket.prompts import CONCEPTS, TEXT_TOKENS
from ..pocket.vocabulary import check_text
from ._host import io

# What the user chooses -> whose file is loaded.
MODELS = {"FLUX.1": "flux", "SD3.5": "sd3", "CogVideoX": "video"}
# Two layers of width 128; the host reads a T5's other sizes from its own configuration of T5 XXL.
_T5_SIZES = {"d_model": 128, "d_kv": 64, "num_heads": 2, "num_layers": 2, "d_ff": 384}


class PocketTokenizer(CogVideoXTokenizer):
    """The host's plain T5 tokenizer, which refuses words that the pocket model was never shown."""

    concepts = CONCEPTS

    def tokenize_with_weights(self, text: str, return_word_ids: bool = False, **kwargs: Any) -> Any:
        """The host's tokens of a text of known words. Raises ConceptAttentionError for another."""
        return super().tokenize_with_weights(
            check_text(text, self.concepts), return_word_ids, **kwargs
        )


class PocketVideoTokenizer(PocketTokenizer):
    """The same for the video model, which was shown fewer things."""

    concepts = clips.CONCEPTS


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
                "A tiny model of the FLUX.1, the SD3.5 or the CogVideoX kind that ships with this "
                "pack: nothing to download, seconds on a CPU. The first two paint a little picture "
                f"book at 256 x 256 and know these words: {', '.join(CONCEPTS)}. CogVideoX makes "
                f"films of it, 160 x 128 and {clips.FRAMES} frames long, of these things: "
                f"{', '.join(clips.MOVES)}. Use 20 steps, cfg 3, euler, simple."
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
                    tooltip="The kind of model, built as the large models of that name are. "
                    "FLUX.1 and SD3.5 know the same words and pictures; CogVideoX makes little "
                    "videos and knows fewer things.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    display_name="MODEL",
                    tooltip="The diffusion transformer. Its pictures are 256 x 256, its videos "
                    f"160 x 128 with {clips.FRAMES} frames.",
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
        loaded = load_model(MODELS[model], parts)
        # With which the host loads it anew, where a node needs weights of its own to change.
        loaded.cached_patcher_init = (reload_model, (MODELS[model],))
        tokenizer = PocketVideoTokenizer if MODELS[model] == "video" else PocketTokenizer
        return io.NodeOutput(loaded, load_clip(parts, tokenizer), load_vae(parts))


def load_model(kind: str, parts: checkpoint.Parts, disable_dynamic: bool = False) -> ModelPatcher:
    """The diffusion transformer as the host loads it, which finds out by itself what it is."""
    # The host empties the dict that it is given.
    loaded = comfy.sd.load_diffusion_model_state_dict(
        dict(parts.transformer),
        model_options={"dtype": torch.float32},
        disable_dynamic=disable_dynamic,
    )
    if kind == "video":
        # The host leaves a CogVideoX's input as samplers make it, up to 4,519 times too large;
        # it was trained on one of unit variance, as this sampling gives it.
        (loaded,) = ModelSamplingDiscrete().patch(loaded, "v_prediction", zsnr=True)
    return loaded


def reload_model(kind: str, disable_dynamic: bool = False) -> ModelPatcher:
    """A second model from the same file, with weights of its own."""
    return load_model(kind, checkpoint.read(kind), disable_dynamic)


def load_clip(
    parts: checkpoint.Parts, tokenizer: type[PocketTokenizer] = PocketTokenizer
) -> comfy.sd.CLIP:
    """The text encoder as the host's CLIP, padding every text as in training."""
    size = sum(value.numel() for value in parts.text.values())
    return comfy.sd.CLIP(
        ClipTarget(tokenizer, cogvideo_te()),
        tokenizer_data={"t5xxl_min_length": TEXT_TOKENS},
        parameters=size,
        state_dict=[parts.text],
        model_options={"dtype": torch.float32, "t5xxl_model_config": _T5_SIZES},
    )


def load_vae(parts: checkpoint.Parts) -> comfy.sd.VAE:
    """The VAE as the host's TAESD with 16 latent channels, or its TAEHV for video."""
    vae = comfy.sd.VAE(sd=parts.vae, dtype=torch.float32)
    vae.throw_exception_if_invalid()
    return vae
