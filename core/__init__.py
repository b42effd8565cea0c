"""The method: concept stream, scores, heatmaps, drawing. Needs torch, never ComfyUI."""
