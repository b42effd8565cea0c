"""Settings, languages and the blueprint in the real editor."""

import pytest
from playwright.sync_api import TimeoutError

from hosting import pack

from .editor import close_templates, errors_shown, open_file, screenshot

EXAMPLES = pack.ROOT / "example_workflows"
POCKET = EXAMPLES / "Pocket - concept heatmaps.json"
PICTURE = EXAMPLES / "Pocket - existing picture.json"

_UP = """() => window.app?.isGraphReady && !window.app.extensionManager.spinner
    && window.app.extensionManager.workflow.activeWorkflow"""
_SET = "([id, value]) => app.extensionManager.setting.set(id, value)"
_NEW = """type => {
    const node = LiteGraph.createNode(type)
    app.rootGraph.add(node)
    return Object.fromEntries(node.widgets.map(each => [each.name, each.value]))
}"""
_VALUES = """() => Object.fromEntries(
    app.rootGraph.nodes.map(node => [node.id, node.serialize().widgets_values]))"""
_PLACED = "() => app.rootGraph.nodes.some(node => node.subgraph && !node.flags.ghost)"
_RUNS = "async () => (await app.api.fetchApi('/history')).json()"
_PATIENCE = 600  # fifths of a second, for a busy machine
_CONNECT = """() => {
    const of = type => app.rootGraph.nodes.find(node => node.type === type)
    const chain = app.rootGraph.nodes.find(node => node.subgraph)
    const [files, prompt] = [of("ConceptAttentionPocket"), of("CLIPTextEncode")]
    const sources = {
        model: [files, 0], clip: [files, 1], vae: [files, 2],
        positive: [prompt, 0], image: [of("VAEDecode"), 0],
    }
    for (const [name, [node, slot]] of Object.entries(sources)) {
        node.connect(slot, chain, chain.findInputSlot(name))
    }
    app.canvas.ds.scale = 0.8
    app.canvas.ds.offset = [600 - chain.pos[0], 90 - chain.pos[1]]
    app.canvas.setDirty(true, true)
    return [chain.inputs.map(each => each.name), chain.outputs.map(each => each.name)]
}"""


@pytest.fixture
def settings(page):
    """Changes settings for one test."""
    before = {}

    def change(name, value):
        read = "id => app.extensionManager.setting.get(id)"
        before.setdefault(name, page.evaluate(read, name))
        page.evaluate(_SET, [name, value])

    yield change
    for name, value in before.items():
        page.evaluate(_SET, [name, value])


def test_new_nodes_take_their_values_from_the_settings_and_workflows_do_not(page, settings):
    close_templates(page)
    settings("concept_attention.live_maps", "segments")
    settings("concept_attention.colormap", "viridis")
    settings("concept_attention.opacity", 0.5)
    document = open_file(page, POCKET)
    kept = {str(node["id"]): node.get("widgets_values") for node in document["nodes"]}
    assert {key: value for key, value in page.evaluate(_VALUES).items() if value} == {
        key: value for key, value in kept.items() if value
    }
    assert page.evaluate(_NEW, "ConceptAttentionSampler")["live_maps"] == "segments"
    overlay = page.evaluate(_NEW, "ConceptAttentionOverlay")
    assert (overlay["colormap"], overlay["opacity"]) == ("viridis", 0.5)
    page.evaluate("() => { app.extensionManager.command.execute('Comfy.ShowSettingsDialog') }")
    page.get_by_role("dialog").get_by_text("Concept Attention", exact=True).first.click()
    page.get_by_text("Live maps in new samplers").wait_for()
    page.drawing = "litegraph"
    screenshot(page, "settings")


@pytest.mark.parametrize(
    ("language", "viewer", "button"),
    [("fr", "Visionneuse", "masque"), ("zh", "热力图", "遮罩")],
)
def test_nodes_and_viewer_speak_the_editors_language(page, settings, language, viewer, button):
    settings("Comfy.Locale", language)
    page.wait_for_timeout(1000)
    page.reload()
    page.wait_for_function(_UP)
    close_templates(page)
    open_file(page, POCKET)
    title = "() => LiteGraph.registered_node_types.ConceptAttentionViewer.title"
    assert viewer.lower() in page.evaluate(title).lower()
    use = page.locator('[data-ca="use-as-mask"]')
    assert button in use.evaluate("each => each.textContent").lower()
    page.drawing = language
    screenshot(page, "language")


def test_the_blueprint_is_placed_connected_and_run(editor):
    close_templates(editor)
    open_file(editor, PICTURE)
    search(editor).fill("Concept heatmaps")
    found = editor.get_by_test_id("result-item").filter(has_text="Concept heatmaps")
    found.first.click()
    found.first.wait_for(state="detached")
    editor.mouse.move(900, 700, steps=5)  # it follows the pointer until a click
    editor.mouse.click(900, 700)
    editor.wait_for_function(_PLACED)
    inputs, outputs = editor.evaluate(_CONNECT)
    assert inputs[:5] == ["model", "clip", "vae", "positive", "image"]
    assert "concepts" in inputs
    assert outputs == ["overlay", "heatmaps", "mask", "capture"]
    run = queue(editor)
    assert run["status"]["status_str"] == "success"
    inside = [said for key, said in run["outputs"].items() if ":" in key]
    (view,) = [
        each["concept_attention_view"] for each in inside if "concept_attention_view" in each
    ]
    assert view[0]["labels"] == ["tree", "rock", "sky", "background"]
    (sheet,) = [each["images"] for each in inside if "images" in each]
    assert len(sheet) == 1
    editor.wait_for_timeout(1500)
    screenshot(editor, "blueprint")
    assert errors_shown(editor) == []
    assert "\n".join(editor.said) == ""


def search(page):
    """Open the search for nodes as a person does, where nothing is; its text field."""
    box = page.get_by_role("combobox", name="Add a node")
    for _ in range(5):  # a workflow that was just opened may still be brought into view
        page.evaluate(
            "() => { app.canvas.ds.offset = [-9000, 0]; app.canvas.setDirty(true, true) }"
        )
        page.wait_for_timeout(500)
        page.mouse.dblclick(1000, 800)
        try:
            box.wait_for(timeout=3000)
        except TimeoutError:
            continue
        return box
    return pytest.fail("the search does not open")


def queue(page):
    """Queue the workflow; what the server remembers of its run."""
    before = set(page.evaluate(_RUNS))
    page.get_by_test_id("queue-button").click()
    for _ in range(_PATIENCE):
        page.wait_for_timeout(200)
        runs = page.evaluate(_RUNS)
        for name in set(runs) - before:
            return runs[name]
    pytest.fail("the run has not ended")
