"""The model to evaluate, by the names that the host's loaders show."""

import argparse
from collections.abc import Sequence
from typing import Any

from evaluation_data import EvaluationError


def loaded(arguments: argparse.Namespace) -> Sequence[Any]:
    """Model, text encoder and VAE, by the host's own loaders."""
    if arguments.pocket:
        from concept_attention.nodes.pocket import LoadPocketModel

        return LoadPocketModel.execute(arguments.pocket).args
    import nodes
    from utils.extra_config import load_extra_path_config

    extra = arguments.comfyui / "extra_model_paths.yaml"
    if extra.is_file():
        load_extra_path_config(str(extra))
    model = clip = vae = None
    if arguments.checkpoint:
        model, clip, vae = nodes.CheckpointLoaderSimple().load_checkpoint(arguments.checkpoint)
    if arguments.unet:
        (model,) = nodes.UNETLoader().load_unet(arguments.unet, arguments.weight_dtype)
    if arguments.clip:
        clip = text_encoder(nodes, arguments.clip, arguments.clip_type)
    if arguments.vae:
        (vae,) = nodes.VAELoader().load_vae(arguments.vae)
    missing = [
        option
        for option, part in (("--unet", model), ("--clip", clip), ("--vae", vae))
        if part is None
    ]
    if missing:
        raise EvaluationError(
            f"model: there is none for {', '.join(missing)}. Name a --pocket model, a --checkpoint "
            "that holds all three, or each of them."
        )
    return model, clip, vae


def text_encoder(nodes: Any, names: Sequence[str], kind: str) -> Any:
    """One, two or three files as one CLIP; nodes: the host's module of them."""
    if len(names) == 1:
        return nodes.CLIPLoader().load_clip(names[0], kind)[0]
    if len(names) == 2:
        return nodes.DualCLIPLoader().load_clip(*names, kind)[0]
    from comfy_extras.nodes_sd3 import TripleCLIPLoader

    return TripleCLIPLoader.execute(*names).args[0]
