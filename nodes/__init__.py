"""What a user drags into a workflow: the list below is the table of contents."""

from .sampler import AttentionCaptureSampler, AttentionCaptureSamplerCustom

NODES: list = [
    AttentionCaptureSampler,
    AttentionCaptureSamplerCustom,
]
