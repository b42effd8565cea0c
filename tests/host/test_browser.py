"""The example workflows in the real editor: opened from its templates, run, and looked at.

With both ways in which the editor draws nodes; pictures of what the browser showed are left in
output/browser/.
"""

import json
import re

import pytest
from playwright.sync_api import TimeoutError

from hosting import pack

EXAMPLES = sorted((pack.ROOT / "example_workflows").glob("*.json"))
EXAMPLES += sorted((pack.ROOT / "tests" / "workflows").glob("*.json"))  # those of releases
POCKET = "Pocket - concept heatmaps"
SCREENSHOTS = pack.ROOT / "output" / "browser"

# Places outside that the server forbids its page to ask, and the pictures that only a workflow
# which was run here has.
_EXPECTED = re.compile(r"huggingface\.co|api\.comfy\.org|workflow_templates/(?!.*Pocket).*\.jpg")

_BOXES = """() => app.rootGraph.nodes.map(node => {
    const element = document.querySelector(`[data-node-id="${node.id}"]`)
    const [x, y, width, height] = node.boundingRect
    if (!element) return [`${node.type} ${node.id}`, x, y, width, height]
    const {scale, offset} = app.canvas.ds, box = element.getBoundingClientRect()
    return [`${node.type} ${node.id}`, x, y, box.width / scale, box.height / scale]
})"""

# Widths of the pictures that each Save Image node shows, as the nodes draw them.
_SHOWN = """() => Object.fromEntries(
    app.rootGraph.nodes.filter(node => node.type === "SaveImage").map(node => {
        const element = document.querySelector(`[data-node-id="${node.id}"]`)
        const images = element ? [...element.querySelectorAll("img")] : node.imgs ?? []
        return [node.title, images.map(each => each.naturalWidth).filter(width => width > 0)]
    })
)"""


_CHOOSE_TOKENS = """choice => {
    const encoder = app.rootGraph.nodes.find(node => node.type === "ConceptAttentionEncode")
    encoder.widgets.find(widget => widget.name === "tokens").value = choice
}"""


@pytest.fixture(params=[False, True], ids=["LiteGraph", "Nodes 2.0"])
def editor(request, page):
    """The editor with one way of drawing nodes; `said` lists its warnings and errors from here."""
    page.set_default_timeout(120_000)  # on a busy machine the editor takes its time
    page.said = []
    page.on("console", lambda message: _keep(page.said, message))
    page.drawing = "nodes-2" if request.param else "litegraph"
    _set_drawing(page, request.param)
    yield page
    _set_drawing(page, False)


def _keep(said, message):
    text = f"{message.type}: {message.text} ({message.location.get('url', '')})"
    if message.type in ("warning", "error") and not _EXPECTED.search(text):
        said.append(text)


def _set_drawing(page, vue):
    name = "Comfy.VueNodes.Enabled"
    page.evaluate("([name, on]) => app.extensionManager.setting.set(name, on)", [name, vue])
    page.wait_for_function("on => LiteGraph.vueNodesMode === on", arg=vue)


def open_from_templates(page, client, name):
    """Open an example as a person does: in the template browser, below the pack's name."""
    (module,) = client.get("/workflow_templates")
    page.evaluate("() => { app.extensionManager.command.execute('Comfy.BrowseTemplates') }")
    page.get_by_role("dialog").get_by_text(module, exact=True).click()
    page.get_by_test_id(f"template-workflow-{name}").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.wait_for_function("() => app.rootGraph.nodes.some(n => n.type.startsWith('Concept'))")


def open_file(page, path):
    document = json.loads(path.read_text(encoding="utf-8"))
    page.evaluate("document => app.loadGraphData(document)", document)
    page.wait_for_function(
        "count => app.rootGraph.nodes.length === count", arg=len(document["nodes"])
    )
    return document


def screenshot(page, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name} ({page.drawing}).png")


def test_a_person_opens_the_pocket_workflow_runs_it_and_sees_the_heatmaps(editor, client):
    open_from_templates(editor, client, POCKET)
    assert errors_shown(editor) == []
    # One token for each word, so any choice makes the same maps; another one is no cached run.
    editor.evaluate(_CHOOSE_TOKENS, {"litegraph": "all", "nodes-2": "mean"}[editor.drawing])
    editor.get_by_test_id("queue-button").click()
    everything = f"() => Object.values(({_SHOWN})()).flat().length === 7"
    editor.wait_for_function(everything, timeout=240_000)
    shown = editor.evaluate(_SHOWN)
    screenshot(editor, "pocket")
    assert shown["Picture"] == [256]
    assert shown["Heatmaps"] == [256] * 5  # house, tree, grass, sky, boat
    assert shown["Overlay"][0] > 2 * 256
    split = editor.locator("text=grass: grass").first.inner_text()
    words = ("house", "tree", "grass", "sky", "boat", "background")
    assert " ".join(split.split()) == "; ".join(f"{word}: {word}" for word in words)
    assert errors_shown(editor) == []
    assert "\n".join(editor.said) == ""


def errors_shown(page):
    """What the editor's error overlay says, if it does not go away by itself: one was once there
    right after a workflow had opened.
    """
    overlay = page.get_by_test_id("error-overlay")
    try:
        overlay.wait_for(state="hidden", timeout=15_000)
    except TimeoutError:
        return overlay.all_inner_texts()
    return []


def test_examples_open_tidily_and_nothing_but_their_model_files_is_missing(editor):
    for path in EXAMPLES:
        document = open_file(editor, path)
        editor.wait_for_timeout(500)  # nodes get their sizes in the next frames
        assert overlaps(editor.evaluate(_BOXES)) == [], path.name
        files = [file for node in document["nodes"] for file in missing(node)]
        assert missing_groups(editor, bool(files)) == ({"missing-model"} if files else set())
        assert editor.get_by_test_id("missing-model-download").count() == len(files)
        screenshot(editor, path.stem)
    assert "\n".join(editor.said) == ""


def missing(node):
    return node["properties"].get("models", ())


def missing_groups(page, expected):
    """The kinds of errors that the editor lists for the workflow that is open."""
    if not expected:
        assert errors_shown(page) == []
        return set()
    page.get_by_test_id("error-overlay").get_by_role("button", name="View details").click()
    page.get_by_test_id("error-group-missing-model").wait_for()
    groups = page.locator("[data-testid^=error-group-]").evaluate_all(
        "found => found.map(each => each.dataset.testid)"
    )
    return {name.removeprefix("error-group-") for name in groups} - {"display-message"}


def overlaps(boxes):
    """Pairs of nodes of which one lies on the other."""
    return [
        (first[0], second[0])
        for index, first in enumerate(boxes)
        for second in boxes[:index]
        if all(
            first[i] < second[i] + second[i + 2] and second[i] < first[i] + first[i + 2]
            for i in (1, 2)
        )
    ]


def test_saving_an_example_unchanged_keeps_all_its_values_and_links(page):
    for path in EXAMPLES:
        document = open_file(page, path)
        saved = page.evaluate("() => app.rootGraph.serialize()")
        assert saved["links"] == document["links"]
        assert {node["id"]: facts(node) for node in saved["nodes"]} == {
            node["id"]: facts(node) for node in document["nodes"]
        }


def facts(node):
    inputs = [(slot["name"], slot["type"], slot.get("link")) for slot in node["inputs"]]
    return node["type"], node["widgets_values"], node["properties"], inputs
