"""The pack's socket types. Their strings are part of shared workflow files and do not change."""

from ._host import io

ConceptsType = io.Custom("CONCEPT_ATTENTION_CONCEPTS")
CaptureType = io.Custom("CONCEPT_ATTENTION_CAPTURE")
HeatmapsType = io.Custom("CONCEPT_ATTENTION_HEATMAPS")
HandleType = io.Custom("CONCEPT_ATTENTION_HANDLE")
