"""Pictures for the help pages: every node after a run, and every state of the Heatmap Viewer.

LiteGraph is on the left and Nodes 2.0 on the right.
"""

import io
import json
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

import help_states
from hosting import pack

EXAMPLES = pack.ROOT / "example_workflows"
TARGET = pack.ROOT / "web" / "docs"
_HEATMAPS = EXAMPLES / "Pocket - concept heatmaps.json"
_VIDEO = EXAMPLES / "Pocket video - concept heatmaps.json"
_GAP = 16  # pixels between the two ways
_SEED = 12  # of the second run that is compared with
_LIVE_SEEDS = (13, 14)  # of the runs whose maps are seen while they form
_MARGIN = 8
_PATIENCE = 1200  # fifths of a second, for a busy machine

# The nodes that each example shows; those that none has are made for the picture.
_NODES: dict[str, tuple[str, ...]] = {
    "Pocket - concept heatmaps": ("Pocket", "Encode", "Sampler", "Decode", "Overlay", "Save"),
    "Pocket - any sampler": ("Attach", "Collect"),
    "Pocket - existing picture": ("Image",),
    "Pocket - inpaint a concept": ("Masks",),
    "Pocket - prompt report": ("Report",),
    "Pocket - compare two models": ("Compare",),
    "Pocket - timeline": ("Timeline",),
}
_ALONE = ("SamplerCustom", "Load")

_VIEWER = "ConceptAttentionViewer"
_FIND = "type => app.rootGraph.nodes.find(node => node.type === type)"
_HAS = f"type => Boolean(({_FIND})(type))"
_LOOK = f"""type => {{
    const node = ({_FIND})(type)
    app.canvas.ds.scale = 1
    app.canvas.ds.offset = [400 - node.pos[0], 110 - node.pos[1]]
    app.canvas.deselectAll?.()
    app.canvas.setDirty(true, true)
}}"""
_ADD = """type => {
    app.rootGraph.clear()
    app.rootGraph.add(LiteGraph.createNode(type))
}"""
_BOX = f"""type => {{
    const node = ({_FIND})(type)
    const [x, y, width, height] = node.boundingRect
    const {{scale, offset}} = app.canvas.ds
    const page = app.canvas.canvas.getBoundingClientRect()
    const drawn = document.querySelector(`[data-node-id="${{node.id}}"]`)
    const box = drawn?.getBoundingClientRect()
    return {{
        x: page.x + (x + offset[0]) * scale, y: page.y + (y + offset[1]) * scale,
        width: width * scale, height: box ? box.height : height * scale,
    }}
}}"""
_LAST_RUN = """async () => {
    const answer = await app.api.fetchApi("/history?max_items=1")
    return Object.keys(await answer.json())[0] ?? null
}"""
# The host forgets results, so that every node runs, and says on itself what it found.
_FORGET = """() => app.api.fetchApi("/free", {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify({free_memory: true}),
})"""
_PAINTED = """() => Number(document.querySelector('[data-ca="viewer"]')?.shadowRoot
    .querySelector('[data-ca="stage"]').dataset.painted ?? 0)"""
_SLIDE = """([name, share]) => {
    const input = document.querySelector('[data-ca="viewer"]').shadowRoot
        .querySelector(`[data-ca="${name}"]`)
    input.value = String(Number(input.min) + (Number(input.max) - Number(input.min)) * share)
    input.dispatchEvent(new Event("input"))
}"""


def make(page: Page) -> None:
    """Write one picture for each node and each state."""
    taken: dict[str, list[Image.Image]] = {}
    for vue in (False, True):
        name = "Comfy.VueNodes.Enabled"
        page.evaluate("([name, on]) => app.extensionManager.setting.set(name, on)", [name, vue])
        page.wait_for_function("on => LiteGraph.vueNodesMode === on", arg=vue)
        page.evaluate(_FORGET)
        for state, (path, act) in _STATES.items():
            _run(page, path)
            act(page)
            taken.setdefault(f"viewer-{state}", []).append(_shot(page, _VIEWER))
        for example, nodes in _NODES.items():
            _run(page, EXAMPLES / f"{example}.json")
            for node in nodes:
                taken.setdefault(node, []).append(_shot(page, f"ConceptAttention{node}"))
        for node in _ALONE:
            page.evaluate(_ADD, f"ConceptAttention{node}")
            taken.setdefault(node, []).append(_shot(page, f"ConceptAttention{node}"))
        last = page.evaluate(_LAST_RUN)
        help_states.start_live(page, _HEATMAPS, _LIVE_SEEDS[vue])
        taken.setdefault("sampler-live", []).append(_shot(page, "ConceptAttentionSampler"))
        _wait_for_run(page, last)
    for name, shots in taken.items():
        own = name if "-" in name else f"node-{name.lower()}"
        _save(_beside(shots), own)
    _save(help_states.app(page, _HEATMAPS), "viewer-app")


def _run(page: Page, path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    page.evaluate("document => app.loadGraphData(document)", document)
    page.wait_for_timeout(500)
    if page.evaluate(_HAS, _VIEWER):
        page.evaluate(_LOOK, _VIEWER)
    _queue(page)


def _queue(page: Page) -> None:
    painted, last = page.evaluate(_PAINTED), page.evaluate(_LAST_RUN)
    page.get_by_test_id("queue-button").click()
    _wait_for_run(page, last)
    if page.evaluate(_HAS, _VIEWER):
        page.wait_for_function(f"before => ({_PAINTED})() > before", arg=painted)
    page.mouse.move(1500, 900)


def _wait_for_run(page: Page, before: str | None) -> None:
    for _ in range(_PATIENCE):
        page.wait_for_timeout(200)
        if page.evaluate(_LAST_RUN) != before:
            return
    raise TimeoutError("the run has not ended")


def _part(page: Page, name: str):
    return page.locator(f'[data-ca="{name}"]')


def _point(page: Page, x: float, y: float) -> None:
    box = _part(page, "canvas").bounding_box()
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])


def _hover(page: Page) -> None:
    _part(page, "row").nth(1).click()
    _point(page, 0.7, 0.35)


def _several(page: Page) -> None:
    for row in (0, 1):
        _part(page, "row").nth(row).click()
    page.mouse.move(1500, 900)


def _segments(page: Page) -> None:
    _part(page, "mode-segments").click()
    page.mouse.move(1500, 900)


def _controls(page: Page) -> None:
    _part(page, "row").nth(1).click()
    _part(page, "tune").click()
    page.evaluate(_SLIDE, ["steps-first", 0.6])
    page.evaluate(_SLIDE, ["threshold", 0.3])
    page.mouse.move(1500, 900)


def _comparison(page: Page) -> None:
    _part(page, "row").nth(3).click()
    _part(page, "compare-picture").click()
    page.mouse.move(1500, 900)


def _two_runs(page: Page) -> None:
    if _part(page, "keep").get_attribute("aria-pressed") == "false":  # it may be from before
        _part(page, "keep").click()
    page.evaluate(
        "seed => { app.rootGraph.nodes.find(node => node.type === 'ConceptAttentionSampler')"
        ".widgets.find(each => each.name === 'seed').value = seed }",
        _SEED,
    )
    _queue(page)
    _part(page, "mode-segments").click()
    _part(page, "compare-runs").click()
    page.wait_for_timeout(6000)  # the message that the run is kept goes away
    page.mouse.move(1500, 900)


def _frames(page: Page) -> None:
    page.evaluate(_SLIDE, ["frame", 0.7])


_STATES: dict[str, tuple[Path, Callable[[Page], None]]] = {
    "hover": (_HEATMAPS, _hover),
    "several": (_HEATMAPS, _several),
    "segments": (_HEATMAPS, _segments),
    "controls": (_HEATMAPS, _controls),
    "comparison": (_HEATMAPS, _comparison),
    "two-runs": (_HEATMAPS, _two_runs),
    "video": (_VIDEO, _frames),
}


def _shot(page: Page, node: str) -> Image.Image:
    if node != _VIEWER:  # which is in view, with the pointer on it
        page.evaluate(_LOOK, node)
    page.wait_for_timeout(700)
    box = page.evaluate(_BOX, node)
    clip = {
        "x": box["x"] - _MARGIN,
        "y": box["y"] - _MARGIN,
        "width": box["width"] + 2 * _MARGIN,
        "height": box["height"] + 2 * _MARGIN,
    }
    return Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")


def _beside(shots: list[Image.Image]) -> Image.Image:
    height = max(shot.height for shot in shots)
    width = sum(shot.width for shot in shots) + _GAP * (len(shots) - 1)
    sheet = Image.new("RGB", (width, height), shots[0].getpixel((1, 1)))
    left = 0
    for shot in shots:
        sheet.paste(shot, (left, 0))
        left += shot.width + _GAP
    return sheet


def _save(picture: Image.Image, name: str) -> None:
    path = TARGET / f"{name}.jpg"
    picture.save(path, quality=85, optimize=True)
    print(f"Written: {path.relative_to(pack.ROOT)}")
