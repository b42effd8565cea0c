"""What a person takes away from the Heatmap Viewer, and two fingers on it, in the real editor."""

import io
import json
import struct

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load

from .test_browser_viewer import LABELS, numbers, part, place, queue, run

_CLIPBOARD = """async () => {
    const [item] = await navigator.clipboard.read()
    const blob = await item.getType("image/png")
    return [...new Uint8Array(await blob.arrayBuffer())]
}"""
_PINCH = """([x, y, from, to]) => {
    const stage = document.querySelector('[data-ca="viewer"]').shadowRoot
        .querySelector('[data-ca="stage"]')
    const move = apart => {
        const touches = [-1, 1].map((side, identifier) => new Touch({
            identifier, target: stage, clientX: x + side * apart / 2, clientY: y}))
        stage.dispatchEvent(new TouchEvent("touchmove", {
            bubbles: true, touches, targetTouches: touches, changedTouches: touches}))
    }
    move(from)
    move(to)
}"""
_VIEW = """() => app.rootGraph.nodes.find(node => node.type === 'ConceptAttentionViewer')
    .properties.concept_attention.view"""


def menu(page, entry):
    part(page, "more").click()
    part(page, entry).click()


def pixels(data):
    return np.array(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_what_is_seen_is_saved_copied_opened_and_downloaded(editor, client):
    run(editor)
    editor.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=client.url)
    part(editor, "row").and_(editor.locator('[data-label="grass"]')).click()
    editor.mouse.move(5, 500)
    with editor.expect_download() as saved:
        menu(editor, "save")
    assert saved.value.suggested_filename == "grass heatmap.png"
    picture = pixels(saved.value.path().read_bytes())
    assert picture.shape == (256, 256, 3)
    # The ground's map: bright below, dark above, as the colour map is.
    assert picture[-40:].sum(-1).mean() > picture[:40].sum(-1).mean()

    menu(editor, "copy")
    editor.get_by_text("Copied.").wait_for()
    assert np.array_equal(pixels(bytes(editor.evaluate(_CLIPBOARD))), picture)

    with editor.context.expect_page() as opened:
        menu(editor, "open")
    opened.value.wait_for_load_state()
    assert opened.value.url.startswith("blob:")
    assert opened.value.locator("img").evaluate("each => each.naturalWidth") == 256
    opened.value.close()

    with editor.expect_download() as downloaded:
        menu(editor, "download")
    data = downloaded.value.path().read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["labels"]) == LABELS
    maps = load(data)["heatmaps"]
    assert maps.shape == (len(LABELS), 16, 16)
    assert maps.sum(0) == pytest.approx(np.ones((16, 16)), abs=1e-4)
    assert "\n".join(editor.said) == ""


def test_two_fingers_zoom_the_picture_and_not_the_graph(editor):
    run(editor)
    graph = editor.evaluate("() => app.canvas.ds.scale")
    editor.evaluate(_PINCH, [*place(editor, 0.5, 0.5), 60, 120])
    editor.wait_for_timeout(300)
    assert editor.evaluate(_VIEW)["zoom"] == pytest.approx(2.0)
    assert editor.evaluate("() => app.canvas.ds.scale") == graph
    assert "\n".join(editor.said) == ""


def test_a_kept_run_whose_files_are_gone_leaves_the_other_in_view(page, server):
    page.drawing = "litegraph"
    run(page)
    part(page, "keep").click()
    kept = page.evaluate("""() => document.querySelector('[data-ca="viewer"]').dataset.ready""")
    page.evaluate(
        "() => { app.rootGraph.nodes.find(node => node.type === 'ConceptAttentionSampler')"
        ".widgets.find(each => each.name === 'seed').value = 11 }"
    )
    queue(page)
    shown = numbers(page)
    (folder,) = server.log.parent.rglob(f"temp/concept_attention/{kept}")
    aside = folder.with_name("aside")
    folder.rename(aside)
    try:
        page.context.new_cdp_session(page).send("Network.clearBrowserCache")
        part(page, "compare-runs").click()
        page.get_by_text("The other run cannot be shown").wait_for()
    finally:
        aside.rename(folder)
    assert numbers(page) == shown
    assert part(page, "compare-runs").is_hidden()
    assert part(page, "missing").count() == 0
    assert part(page, "keep").get_attribute("aria-pressed") == "false"
