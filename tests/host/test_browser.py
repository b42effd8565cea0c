"""The example workflows in the real editor: opened from its templates, run, and looked at.

With both ways in which the editor draws nodes; pictures of what the browser showed are left in
output/browser/.
"""

from hosting import pack

from .editor import close_templates, errors_shown, open_file, open_from_templates, screenshot

EXAMPLES = sorted((pack.ROOT / "example_workflows").glob("*.json"))
EXAMPLES += sorted((pack.ROOT / "tests" / "workflows").glob("*.json"))  # those of releases
POCKET = "Pocket - concept heatmaps"

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
    words = ("house", "tree", "grass", "sky", "boat", "background")
    split = editor.get_by_label("Result", exact=True).input_value()
    assert split == "\n".join(f"{word}: {word}" for word in words)
    assert errors_shown(editor) == []
    assert "\n".join(editor.said) == ""


def test_examples_open_tidily_and_nothing_but_their_model_files_is_missing(editor):
    close_templates(editor)
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
