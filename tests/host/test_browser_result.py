"""What a run says in words stays on its node, in the real editor and in both ways to draw nodes."""

import pytest

from hosting import pack

from .editor import close_templates, errors_shown, open_file, screenshot, set_drawing
from .test_browser import _BOXES, overlaps
from .test_browser_interface import _UP, queue

EXAMPLES = pack.ROOT / "example_workflows"
REPORT = EXAMPLES / "Pocket - audit.json"
SPEAKING = (
    "Pocket - concept heatmaps",
    "Pocket - audit",
    "Pocket - prompt report",
    "Pocket - timeline",
    "Pocket - compare two models",
    "Pocket - inpaint a concept",
)

# The texts on nodes, by the nodes' types.
_TEXTS = """() => Object.fromEntries(app.rootGraph.nodes
    .map(node => [node.type, node.widgets?.find(each => each.name === "result")])
    .filter(([, widget]) => widget)
    .map(([type, widget]) => [type, widget.element.querySelector("textarea").value]))"""
_AREA = """type => app.rootGraph.nodes.find(node => node.type === type)
    .widgets.find(each => each.name === "result").element.querySelector("textarea")"""
_PROGRESS = """() => app.rootGraph.nodes.filter(node =>
    node.widgets?.some(each => each.name === "$$node-text-preview")).map(node => node.type)"""
_SIZES = """() => Object.fromEntries(app.rootGraph.nodes
    .filter(node => node.widgets?.some(each => each.name === "result"))
    .map(node => [node.id, [...node.size]]))"""
_SAVED = """async () => {
    const {output} = await app.graphToPrompt()
    const inputs = Object.fromEntries(
        Object.entries(output).map(([id, node]) => [id, Object.keys(node.inputs)]))
    const nodes = app.rootGraph.serialize().nodes
    return [inputs, nodes.map(node => [node.id, node.widgets_values, node.properties])]
}"""
_LOOK = """type => {
    const node = app.rootGraph.nodes.find(node => node.type === type)
    app.canvas.ds.scale = 1
    app.canvas.ds.offset = [500 - node.pos[0], 120 - node.pos[1]]
    app.canvas.deselectAll?.()
    app.canvas.setDirty(true, true)
}"""
_WORDS = """([concepts, seed]) => {
    const of = type => app.rootGraph.nodes.find(node => node.type === type)
    of("ConceptAttentionEncode").widgets.find(each => each.name === "concepts").value = concepts
    of("ConceptAttentionSampler").widgets.find(each => each.name === "seed").value = seed
}"""
_FORBID = """concept => app.rootGraph.nodes.find(node => node.type === "ConceptAttentionReport")
    .widgets.find(each => each.name === "must_be_absent").value = concept"""
_SAY = """([type, text]) => app.rootGraph.nodes.find(node => node.type === type)
    .onExecuted({text: [text]})"""
_RESIZE = """([type, size]) => app.rootGraph.nodes.find(node => node.type === type).setSize(size)"""
_SIZE = "type => [...app.rootGraph.nodes.find(node => node.type === type).size]"
_ENCODER, _REPORT = "ConceptAttentionEncode", "ConceptAttentionReport"


def said(page, run):
    """What a run said in words, by the types of our nodes."""
    nodes = page.evaluate("() => app.rootGraph.nodes.map(node => [String(node.id), node.type])")
    ours = [
        (run["outputs"].get(key, {}), kind) for key, kind in nodes if kind.startswith("Concept")
    ]
    return {kind: each["text"][0] for each, kind in ours if each.get("text", [""])[0]}


def area(page, kind):
    """The text on a node, in view."""
    page.evaluate(_LOOK, kind)
    page.wait_for_timeout(500)
    found = page.evaluate_handle(_AREA, kind).as_element()
    found.wait_for_element_state("visible")
    return found


def shows(page, texts):
    """Wait until the nodes show these texts, in sight."""
    page.wait_for_function(
        f"texts => Object.entries(({_TEXTS})()).flat().join() === texts",
        arg=",".join(part for pair in texts.items() for part in pair),
    )
    for kind in texts:
        area(page, kind)


def switch(page):
    """To another workflow's tab, and back."""
    execute = "name => app.extensionManager.command.execute(name)"
    page.evaluate(execute, "Comfy.NewBlankWorkflow")
    page.wait_for_function("() => app.rootGraph.nodes.length < 5")
    page.evaluate(execute, "Workspace.PreviousOpenedWorkflow")
    page.wait_for_function("() => app.rootGraph.nodes.length > 5")


def reload(page):
    page.wait_for_timeout(2000)  # the editor writes down what is open
    page.reload()
    page.wait_for_function(_UP)


def as_saved(page, document):
    """Whether the nodes with texts have the sizes that the file gave them."""
    sizes = {str(node["id"]): node["size"] for node in document["nodes"]}
    found = page.evaluate(_SIZES)
    return found == {key: sizes[key] for key in found}


def test_a_report_stays_on_its_node(editor, client):
    close_templates(editor)
    document = open_file(editor, REPORT)
    saved = editor.evaluate(_SAVED)
    texts = said(editor, queue(editor))
    assert set(texts) == {_ENCODER, _REPORT}
    assert texts[_REPORT].splitlines()[-1] == "PASSED"
    shows(editor, texts)
    screenshot(editor, "result 1 report")
    assert editor.evaluate(_PROGRESS) == []
    assert as_saved(editor, document)
    assert editor.evaluate(_SAVED) == saved

    cached = queue(editor)  # all of it is known, and all of it is said again
    assert said(editor, cached) == texts
    shows(editor, texts)

    vue = editor.drawing == "nodes-2"
    set_drawing(editor, not vue)
    shows(editor, texts)
    set_drawing(editor, vue)
    shows(editor, texts)

    switch(editor)
    shows(editor, texts)
    assert errors_shown(editor) == []
    assert "\n".join(editor.said) == ""
    reload(editor)
    shows(editor, texts)
    assert as_saved(editor, document)
    screenshot(editor, "result 2 reloaded")
    assert not [each for each in editor.said if "concept" in each.lower()]


def test_the_text_is_selected_and_copied_and_cannot_be_written(editor, client):
    editor.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=client.url)
    close_templates(editor)
    open_file(editor, REPORT)
    text = said(editor, queue(editor))[_REPORT]
    found = area(editor, _REPORT)
    found.click()
    editor.keyboard.press("Control+a")
    editor.keyboard.press("Control+c")
    read = "() => navigator.clipboard.readText()"
    assert editor.evaluate(read) == text
    editor.keyboard.press("x")
    editor.keyboard.press("Delete")
    assert found.input_value() == text
    assert editor.evaluate("() => app.rootGraph.nodes.length") > 5  # nor was a node deleted
    editor.evaluate("() => navigator.clipboard.writeText('')")
    found.hover()
    screenshot(editor, "result 3 copy")
    found.query_selector("xpath=../button").click()
    editor.get_by_text("Copied.").wait_for()
    assert editor.evaluate(read) == text
    assert "\n".join(editor.said) == ""


def test_a_run_that_is_known_from_before_is_said_again_on_every_node(page):
    """Of three runs the third is as the first: its nodes do not run, and say what they said."""
    page.drawing = "litegraph"
    close_templates(page)
    open_file(page, EXAMPLES / "Pocket - prompt report.json")
    texts = []
    for words, seed in (("house, mushroom", 21), ("house, mushroom, rock", 22)) * 2:
        page.evaluate(_WORDS, [words, seed])
        texts.append(said(page, queue(page)))
        assert set(texts[-1]) == {_ENCODER, _REPORT}
        shows(page, texts[-1])
    assert texts[0] == texts[2] != texts[1] == texts[3]


def test_a_report_that_stops_the_workflow_leaves_no_verdict_of_an_earlier_run(page):
    page.drawing = "litegraph"
    close_templates(page)
    open_file(page, REPORT)
    assert _REPORT in said(page, queue(page))
    area(page, _REPORT)
    page.evaluate(_FORBID, "tree")
    assert queue(page)["status"]["status_str"] == "error"
    wait = f"kind => !(kind in ({_TEXTS})())"
    page.wait_for_function(wait, arg=_REPORT)
    switch(page)
    page.wait_for_function(f"kind => kind in ({_TEXTS})()", arg=_ENCODER)
    assert _REPORT not in page.evaluate(_TEXTS)
    reload(page)
    page.wait_for_function(f"kind => kind in ({_TEXTS})()", arg=_ENCODER)
    assert _REPORT not in page.evaluate(_TEXTS)


def test_what_a_subgraph_s_nodes_say_is_there_when_it_is_opened(editor):
    close_templates(editor)
    open_file(editor, REPORT)
    editor.evaluate(
        """kind => {
            const node = app.rootGraph.nodes.find(node => node.type === kind)
            app.canvas.select(node)
            app.rootGraph.convertToSubgraph(new Set([node]))
        }""",
        _ENCODER,
    )
    run = queue(editor)
    (text,) = [each["text"][0] for key, each in run["outputs"].items() if ":" in key]
    editor.evaluate(
        "() => app.canvas.setGraph(app.rootGraph.nodes.find(node => node.subgraph).subgraph)"
    )
    found = editor.get_by_label("Result", exact=True).and_(editor.locator(":visible"))
    found.first.wait_for()
    assert found.first.input_value() == text
    screenshot(editor, "result 4 subgraph")
    assert "\n".join(editor.said) == ""


def test_a_node_keeps_its_size_and_loses_the_text_when_a_run_says_none(editor):
    close_templates(editor)
    open_file(editor, REPORT)
    editor.evaluate(_RESIZE, [_REPORT, [700, 900]])
    editor.evaluate(_SAY, [_REPORT, "one\ntwo"])
    found = area(editor, _REPORT)
    assert found.input_value() == "one\ntwo"
    assert editor.evaluate(_SIZE, _REPORT) == [700, 900]
    editor.evaluate(_SAY, [_REPORT, "\n".join(map(str, range(99)))])
    editor.wait_for_timeout(500)
    assert area(editor, _REPORT) and editor.evaluate(_SIZE, _REPORT) == [700, 900]
    editor.evaluate(_SAY, [_REPORT, ""])
    found.wait_for_element_state("hidden")
    assert _REPORT not in editor.evaluate(_TEXTS)
    assert editor.evaluate(_SIZE, _REPORT) == [700, 900]
    editor.evaluate(_SAY, [_REPORT, "again"])
    assert area(editor, _REPORT).input_value() == "again"
    assert "\n".join(editor.said) == ""


def test_the_text_is_copied_where_a_page_has_no_clipboard(editor, client):
    """As from another computer without https."""
    editor.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=client.url)
    close_templates(editor)
    open_file(editor, REPORT)
    editor.evaluate(_SAY, [_REPORT, "to be copied"])
    editor.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject('none') }")
    found = area(editor, _REPORT)
    found.hover()
    found.query_selector("xpath=../button").click()
    editor.get_by_text("Copied.").wait_for()
    assert editor.evaluate("() => navigator.clipboard.readText()") == "to be copied"


def in_the_way(page):
    """Pairs of nodes of which one lies on the other, and at least one is ours."""
    pairs = overlaps(page.evaluate(_BOXES))
    return [pair for pair in pairs if any(name.startswith("Concept") for name in pair)]


@pytest.mark.parametrize("name", SPEAKING)
def test_examples_have_room_for_what_their_nodes_say(page, name):
    page.drawing = "litegraph"
    close_templates(page)
    document = open_file(page, EXAMPLES / f"{name}.json")
    texts = said(page, queue(page))
    assert texts
    shows(page, texts)
    assert as_saved(page, document)
    assert in_the_way(page) == []
    set_drawing(page, True)
    shows(page, texts)
    assert in_the_way(page) == []
    for kind in texts:
        page.evaluate(_LOOK, kind)
        page.wait_for_timeout(500)
        screenshot(page, f"result of {name} {kind}")
    set_drawing(page, False)
