"""What a user drags into a workflow: the list below is the table of contents."""

from .attach import AttachCapture
from .collect import CollectCapture
from .compare import CompareHeatmaps
from .decode import HeatmapDecode
from .encode import ConceptEncoder
from .files import LoadCapture, SaveCapture
from .image import AttentionCaptureImage
from .masks import HeatmapToMasks
from .overlay import HeatmapOverlay
from .pocket import LoadPocketModel
from .report import ConceptReport
from .sampler import AttentionCaptureSampler, AttentionCaptureSamplerCustom
from .timeline import HeatmapTimeline
from .viewer import HeatmapViewer

NODES: list = [
    ConceptEncoder,
    AttentionCaptureSampler,
    AttentionCaptureSamplerCustom,
    AttachCapture,
    CollectCapture,
    AttentionCaptureImage,
    HeatmapDecode,
    HeatmapOverlay,
    HeatmapViewer,
    HeatmapToMasks,
    ConceptReport,
    CompareHeatmaps,
    HeatmapTimeline,
    SaveCapture,
    LoadCapture,
    LoadPocketModel,
]
