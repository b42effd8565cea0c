"""Settings, languages and the blueprint in the real editor."""

import pytest

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
    editor.evaluate("() => { app.canvas.ds.offset = [-9000, 0] }")  # where nothing is
    editor.mouse.dblclick(1000, 800)
    editor.keyboard.type("Concept heatmaps")
    editor.get_by_text("Concept heatmaps").first.wait_for()
    editor.wait_for_timeout(500)
    editor.keyboard.press("Enter")
    editor.wait_for_function("() => app.rootGraph.nodes.some(node => node.subgraph)")
    editor.mouse.click(1000, 800)  # it follows the pointer until then
    inputs, outputs = editor.evaluate(_CONNECT)
    assert inputs[:5] == ["model", "clip", "vae", "positive", "image"]
    assert "concepts" in inputs
    assert outputs == ["overlay", "heatmaps", "mask", "capture"]
    editor.get_by_test_id("queue-button").click()
    editor.wait_for_function(
        """() => Object.keys(app.nodeOutputs).some(key => key.includes(":"))
            && document.querySelectorAll('[data-testid="error-overlay"]').length === 0""",
        timeout=120_000,
    )
    editor.wait_for_timeout(1500)
    screenshot(editor, "blueprint")
    assert errors_shown(editor) == []
    assert "\n".join(editor.said) == ""
