"""The Heatmap Viewer in the real editor, in both of its ways to draw nodes.

Pictures of every state are left in output/browser/.
"""

import io

import numpy as np
import pytest
from PIL import Image

from hosting import pack

from .editor import close_templates, errors_shown, open_file, screenshot, set_drawing

EXAMPLES = pack.ROOT / "example_workflows"
POCKET = EXAMPLES / "Pocket - concept heatmaps.json"
VIDEO = EXAMPLES / "Pocket video - concept heatmaps.json"
_PATIENCE = 1200  # fifths of a second, for a busy machine
LABELS = ["house", "tree", "grass", "sky", "boat", "background"]

_UP = """() => window.app?.isGraphReady && !window.app.extensionManager.spinner
    && window.app.extensionManager.workflow.activeWorkflow"""
_VIEWER = "app.rootGraph.nodes.find(node => node.type === 'ConceptAttentionViewer')"
_WIDGETS = f"""() => Object.fromEntries({_VIEWER}.widgets
    .filter(each => each.options?.serialize !== false).map(each => [each.name, each.value]))"""
_PAINTED = """() => Number(document.querySelector('[data-ca="viewer"]')?.shadowRoot
    .querySelector('[data-ca="stage"]').dataset.painted ?? 0)"""
# The run that ended last: its id, and the name of what it gave the viewer to show.
_LAST_RUN = """async () => {
    const answer = await app.api.fetchApi("/history?max_items=1")
    const [id, run] = Object.entries(await answer.json())[0] ?? [null, {}]
    const said = Object.values(run.outputs ?? {}).find(each => each.concept_attention_view)
    return {id, shown: said?.concept_attention_view[0].id}
}"""
_PIXELS = """() => {
    const canvas = document.querySelector('[data-ca="viewer"]').shadowRoot
        .querySelector('[data-ca="canvas"]')
    return canvas.toDataURL().length + canvas.toDataURL()
}"""
# The mask, as a picture that is shown: what a person would put behind the output.
_SHOW_MASK = f"""() => {{
    const viewer = {_VIEWER}, mask = viewer.findOutputSlot("mask")
    const made = ["MaskToImage", "PreviewImage"].map(type => LiteGraph.createNode(type))
    made.forEach((node, i) => {{ app.rootGraph.add(node); node.pos = [300 * i, -600] }})
    viewer.connect(mask, made[0], 0)
    made[0].connect(0, made[1], 0)
    return made[1].id
}}"""
_LOOK = f"""() => {{
    const viewer = {_VIEWER}
    app.canvas.ds.scale = 0.8
    app.canvas.ds.offset = [600 - viewer.pos[0], 90 - viewer.pos[1]]
    app.canvas.setDirty(true, true)
}}"""
# Moves a slider as a person's drag does, through its input events.
_SLIDE = """([name, share]) => {
    const input = document.querySelector('[data-ca="viewer"]').shadowRoot
        .querySelector(`[data-ca="${name}"]`)
    const [low, high] = [Number(input.min), Number(input.max)]
    input.value = String(low + (high - low) * share)
    input.dispatchEvent(new Event("input"))
}"""


def part(page, name):
    """A part of the viewer by its hook."""
    return page.locator(f'[data-ca="{name}"]')


def run(page, path=POCKET):
    """Open a workflow, queue it, and wait until the viewer has painted; it is in view."""
    close_templates(page)
    open_file(page, path)
    page.evaluate(_LOOK)
    queue(page)


def queue(page):
    """Queue the workflow, and wait until the viewer shows this run and no older one."""
    before = page.evaluate(_LAST_RUN)["id"]
    page.get_by_test_id("queue-button").click()
    for _ in range(_PATIENCE):
        page.wait_for_timeout(200)
        last = page.evaluate(_LAST_RUN)
        if last["id"] != before:
            assert last["shown"], "the run has shown nothing"
            viewer = """shown => document.querySelector('[data-ca="viewer"]')
                .dataset.ready === shown"""
            page.wait_for_function(viewer, arg=last["shown"])
            return
    pytest.fail("the run has not ended")


def painted(page, before=0):
    page.wait_for_function(f"before => ({_PAINTED})() > before", arg=before, timeout=240_000)


def slide(page, name, share):
    before = page.evaluate(_PAINTED)
    page.evaluate(_SLIDE, [name, share])
    painted(page, before)
    page.wait_for_timeout(300)  # the paint may have been of the node's new size


def numbers(page):
    """The legend: what every concept has of the picture, or of the place under the pointer."""
    rows = part(page, "row").evaluate_all(
        "rows => rows.map(row => [row.dataset.label, Number(row.dataset.value)])"
    )
    return dict(rows)


def place(page, x, y):
    """A point of the picture, by shares of its width and height, on the screen."""
    box = part(page, "canvas").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def point(page, x, y):
    page.mouse.move(*place(page, x, y))
    page.wait_for_timeout(300)


def test_a_person_looks_at_maps_plays_with_them_and_takes_a_mask(editor, client):
    run(editor)
    whole = numbers(editor)
    assert list(whole) == LABELS
    assert sum(whole.values()) == pytest.approx(1, abs=0.01)
    assert whole["boat"] < 0.05 < whole["tree"]
    screenshot(editor, "viewer 1 heatmap")

    point(editor, 0.5, 0.9)  # the ground, in every picture of this world
    here = numbers(editor)
    assert max(here, key=here.get) == "grass"
    assert part(editor, "row").and_(editor.locator(".wins")).get_attribute("data-label") == "grass"
    assert "grass" in part(editor, "status").inner_text()
    assert part(editor, "outline").is_visible()
    screenshot(editor, "viewer 2 hover")

    editor.mouse.move(5, 500)
    runs = len(client.get("/history"))
    part(editor, "mode-segments").click()
    screenshot(editor, "viewer 3 segments")
    part(editor, "mode-heatmap").click()
    part(editor, "tune").click()
    slide(editor, "layers-last", 0.0)
    for _ in range(_PATIENCE):
        if numbers(editor) != whole:
            break
        editor.wait_for_timeout(200)
    assert numbers(editor) != whole
    slide(editor, "temperature", 0.25)
    slide(editor, "threshold", 0.4)
    row = part(editor, "row").and_(editor.locator('[data-label="tree"]'))
    row.click()
    editor.wait_for_timeout(300)
    screenshot(editor, "viewer 4 controls")
    assert len(client.get("/history")) == runs  # nothing was run for any of it

    part(editor, "use-as-mask").click()
    chosen = editor.evaluate(_WIDGETS)
    assert chosen["concept"] == "tree"
    assert chosen["threshold"] == pytest.approx(0.4)
    assert (chosen["layers"], chosen["steps"]) == ("0", "auto")
    assert 0 < chosen["temperature"] < 1
    preview = editor.evaluate(_SHOW_MASK)
    queue(editor)
    (record,) = latest(client)[str(preview)]["images"]
    mask = np.array(Image.open(io.BytesIO(client.view(record))).convert("L"))
    assert set(np.unique(mask)) == {0, 255}
    assert 0.02 < (mask == 255).mean() < 0.6
    # The mask is what is seen: the places that the threshold leaves are those of the mask.
    for x, y in ((0.1, 0.1), (0.3, 0.5), (0.7, 0.4), (0.5, 0.9)):
        point(editor, x, y)
        share = numbers(editor)["tree"]
        if abs(share - 0.4) > 0.02:
            pixel = mask[int(y * mask.shape[0]), int(x * mask.shape[1])]
            assert (pixel == 255) == (share > 0.4)
    assert errors_shown(editor) == []
    assert "\n".join(editor.said) == ""


def latest(client):
    """The outputs of the run that ended last."""
    return list(client.get("/history").values())[-1]["outputs"]


def test_the_keyboard_chooses_zooms_and_compares(editor):
    run(editor)
    stage = part(editor, "stage")
    editor.mouse.click(*place(editor, 0.5, 0.9))
    editor.wait_for_function(
        """() => document.querySelector('[data-ca="viewer"]').shadowRoot
            .querySelector('[data-ca="stage"]').getAttribute("aria-label").startsWith("grass: ")"""
    )
    assert stage.get_attribute("aria-label").startswith("grass: ")
    editor.keyboard.press("ArrowRight")
    editor.wait_for_timeout(800)
    assert stage.get_attribute("aria-label").startswith("sky: ")
    maps = editor.evaluate(_PIXELS)
    editor.keyboard.press("Space")
    editor.wait_for_timeout(300)
    plain = editor.evaluate(_PIXELS)
    assert plain != maps
    editor.keyboard.press("Space")
    zoom = editor.evaluate("() => app.canvas.ds.scale")
    editor.keyboard.press("+")
    editor.wait_for_timeout(300)
    assert editor.evaluate(_PIXELS) not in (maps, plain)
    assert editor.evaluate("() => app.canvas.ds.scale") == zoom  # the picture's, not the editor's
    editor.keyboard.press("0")
    editor.wait_for_timeout(300)
    assert editor.evaluate(_PIXELS) == maps
    part(editor, "compare-picture").click()
    editor.wait_for_timeout(300)
    assert part(editor, "split").is_visible()
    assert editor.evaluate(_PIXELS) not in (maps, plain)
    screenshot(editor, "viewer 5 comparison")
    assert "\n".join(editor.said) == ""


def test_a_run_is_kept_and_compared_with_the_next(editor):
    run(editor)
    part(editor, "keep").click()
    editor.evaluate(
        "() => { app.rootGraph.nodes.find(node => node.type === 'ConceptAttentionSampler')"
        ".widgets.find(each => each.name === 'seed').value = 7 }"
    )
    queue(editor)
    alone = editor.evaluate(_PIXELS)
    part(editor, "compare-runs").click()
    editor.wait_for_timeout(800)
    assert editor.evaluate(_PIXELS) != alone
    assert editor.locator(".tag:visible").all_inner_texts() == ["A", "B"]
    screenshot(editor, "viewer 6 two runs")
    assert "\n".join(editor.said) == ""


def test_a_video_is_played_and_stepped_through(editor):
    run(editor, VIDEO)
    frame = part(editor, "frame")
    assert frame.get_attribute("max") == "12"
    part(editor, "stage").click()
    editor.keyboard.press("Shift+ArrowRight")
    editor.wait_for_timeout(500)
    assert frame.input_value() == "1"
    part(editor, "play").click()
    editor.wait_for_function(
        """() => Number(document.querySelector('[data-ca="viewer"]').shadowRoot
            .querySelector('[data-ca="frame"]').value) > 4"""
    )
    part(editor, "play").click()
    screenshot(editor, "viewer 7 video")
    assert "\n".join(editor.said) == ""


def test_what_was_shown_survives_tabs_reloads_copies_and_the_other_way_to_draw(page):
    page.said = []
    page.drawing = "litegraph"
    run(page)
    shown = numbers(page)
    part(page, "mode-segments").click()
    set_drawing(page, True)
    page.wait_for_timeout(1500)
    assert numbers(page) == shown
    screenshot(page, "viewer 8 toggled")
    set_drawing(page, False)

    page.evaluate("() => app.extensionManager.command.execute('Comfy.NewBlankWorkflow')")
    page.wait_for_function("() => app.rootGraph.nodes.length < 5")
    page.evaluate("() => app.extensionManager.command.execute('Workspace.PreviousOpenedWorkflow')")
    page.wait_for_function("() => app.rootGraph.nodes.length > 5")
    painted(page)
    assert numbers(page) == shown

    page.wait_for_timeout(2000)  # the editor writes down what is open
    page.reload()
    page.wait_for_function(_UP)
    page.evaluate(_LOOK)
    painted(page)
    assert numbers(page) == shown
    assert part(page, "mode-segments").get_attribute("aria-pressed") == "true"


def test_files_that_are_gone_are_said_to_be_gone(page, server):
    page.drawing = "litegraph"
    run(page)
    page.wait_for_timeout(2000)
    (folder,) = server.log.parent.rglob("temp/concept_attention")
    aside = folder.with_name("aside")
    folder.rename(aside)  # other tests are shown runs of this server too
    try:
        page.context.new_cdp_session(page).send("Network.clearBrowserCache")
        page.reload()
        page.wait_for_function(_UP)
        page.evaluate(_LOOK)
        part(page, "missing").wait_for()
        assert "Queue the workflow again" in part(page, "missing").inner_text()
        screenshot(page, "viewer 9 files gone")
    finally:
        aside.rename(folder)
