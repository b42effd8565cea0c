"""Live maps in the real editor: what the sampling node shows while it samples."""

import pytest

from hosting import pack

from .editor import close_templates, errors_shown, open_file, screenshot

POCKET = pack.ROOT / "example_workflows" / "Pocket - concept heatmaps.json"
_PATIENCE = 1200  # fifths of a second, for a busy machine
_RUNS = "async () => Object.keys(await (await app.api.fetchApi('/history')).json())"

# Sets the live maps, and another seed, so that nothing of an older run can be used again; then
# keeps the size of every preview that the node shows.
_WATCH = """([mode, seed]) => {
    const sampler = app.rootGraph.nodes.find(node => node.type === "ConceptAttentionSampler")
    const set = (name, value) => {
        sampler.widgets.find(widget => widget.name === name).value = value
    }
    set("live_maps", mode)
    set("seed", seed)
    app.canvas.ds.scale = 0.8
    app.canvas.ds.offset = [600 - sampler.pos[0], 200 - sampler.pos[1]]
    app.canvas.setDirty(true, true)
    window.previews = new Map()
    clearInterval(window.watching)
    window.watching = setInterval(() => {
        const element = document.querySelector(`[data-node-id="${sampler.id}"]`)
        const images = element ? [...element.querySelectorAll("img")] : sampler.imgs ?? []
        for (const image of images) {
            if (!image.naturalWidth || window.previews.has(image.src)) continue
            window.previews.set(image.src, [image.naturalWidth, image.naturalHeight])
        }
    }, 20)
}"""


def test_maps_are_seen_while_they_form_and_not_when_they_are_off(editor):
    close_templates(editor)
    open_file(editor, POCKET)
    seed = 1 + (editor.drawing == "litegraph")
    plain = previews(editor, "off", seed)
    maps = previews(editor, "segments", seed + 10)
    assert len(maps) >= 2
    # The picture at the size of previews, square as this one is, and the legend below it. The
    # host's own preview, if it is on, has a pixel for each of the latents.
    assert all(width == 512 < height for width, height in maps)
    assert all(width < 512 for width, _ in plain)
    assert errors_shown(editor) == []
    assert "\n".join(editor.said) == ""


def previews(page, mode, seed):
    """Run with live maps of a mode; (width, height) of each preview."""
    before = page.evaluate(_RUNS)
    page.evaluate(_WATCH, [mode, seed])
    page.get_by_test_id("queue-button").click()
    pictured = False
    for _ in range(_PATIENCE):
        page.wait_for_timeout(200)
        found = page.evaluate("() => [...window.previews.values()]")
        if len(found) >= 2 and not pictured and mode != "off":
            pictured = True
            screenshot(page, f"live-{mode}")
        if len(page.evaluate(_RUNS)) > len(before):
            return found
    return pytest.fail("the run has not ended")
