"""What a user drags into a workflow: the list below is the table of contents."""

from .encode import ConceptAttentionEncode
from .sampler import AttentionCaptureSampler, AttentionCaptureSamplerCustom

NODES: list = [
    ConceptAttentionEncode,
    AttentionCaptureSampler,
    AttentionCaptureSamplerCustom,
]
