"""Pictures for the help pages of what is not a node after its run: live maps, and App mode."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page

_APP_SIZE = (1280, 860)
_PAINTED = """() => document.querySelector('[data-ca="viewer"]')?.dataset.ready"""

# Sets what makes the sampler show its maps, with a seed of no other run, in view of the page.
_SHOW_LIVE = """seed => {
    const sampler = app.rootGraph.nodes.find(node => node.type === "ConceptAttentionSampler")
    const set = (name, value) => {
        sampler.widgets.find(widget => widget.name === name).value = value
    }
    set("live_maps", "segments")
    set("seed", seed)
    // A preview makes the node taller than it was: nothing is to lie below it.
    for (const node of app.rootGraph.nodes) {
        if (node !== sampler && node.pos[1] > sampler.pos[1]) node.pos = [node.pos[0], 5000]
    }
    app.canvas.ds.scale = 1
    app.canvas.ds.offset = [400 - sampler.pos[0], 110 - sampler.pos[1]]
}"""
# Whether the sampler is past the middle of its steps, and shows a picture of a preview's size.
_IS_LIVE = """() => {
    const sampler = app.rootGraph.nodes.find(node => node.type === "ConceptAttentionSampler")
    const element = document.querySelector(`[data-node-id="${sampler.id}"]`)
    const images = element ? [...element.querySelectorAll("img")] : sampler.imgs ?? []
    return window.sampled > 0.5 && images.some(image => image.naturalWidth === 512)
}"""
_FOLLOW = """() => {
    window.sampled = 0
    app.api.addEventListener("progress", ({detail: {value, max}}) => {
        window.sampled = max > 1 ? value / max : 0
    })
}"""


def start_live(page: Page, path: Path, seed: int) -> None:
    """Open a workflow, queue it with live maps, and wait until the sampler shows some."""
    page.evaluate("document => app.loadGraphData(document)", _read(path))
    page.wait_for_timeout(500)
    page.evaluate(_FOLLOW)
    page.evaluate(_SHOW_LIVE, seed)
    page.get_by_test_id("queue-button").click()
    page.mouse.move(1500, 900)
    page.wait_for_function(_IS_LIVE, polling=50)


def app(page: Page, path: Path) -> Image.Image:
    """A workflow in App mode after its run: the viewer among the controls, and the sheet."""
    document = _read(path)
    of = {node["type"]: node["id"] for node in document["nodes"]}
    viewer = of["ConceptAttentionViewer"]
    inputs = [[of["ConceptAttentionEncode"], "concepts"], [viewer, "viewer"]]
    document.setdefault("extra", {}).update(
        linearMode=True, linearData={"inputs": inputs, "outputs": [viewer]}
    )
    before = page.viewport_size
    page.set_viewport_size({"width": _APP_SIZE[0], "height": _APP_SIZE[1]})
    page.evaluate("document => app.loadGraphData(document)", document)
    page.get_by_role("button", name="Run", exact=True).last.click()
    page.wait_for_function(_PAINTED)
    page.get_by_role("button", name="Rerun").wait_for()  # the result is in view
    page.wait_for_timeout(6000)  # the editor's messages go away
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    if before is not None:
        page.set_viewport_size(before)
    return shot


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
