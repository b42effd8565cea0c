"""App mode in the real editor: the viewer among the controls, and what it puts out."""

import json

from hosting import pack

from .editor import close_templates, errors_shown, keep, screenshot

POCKET = pack.ROOT / "example_workflows" / "Pocket - concept heatmaps.json"
_LABELS = """() => [...document.querySelector('[data-ca="viewer"]')?.shadowRoot
    .querySelectorAll('[data-ca="row"]') ?? []].map(row => row.dataset.label)"""
_SHEET = """() => [...document.querySelectorAll("img")]
    .filter(image => image.src.includes("sheet-")).map(image => image.naturalWidth)"""


def test_an_app_has_the_viewer_beside_its_controls_and_the_sheet_as_its_result(page):
    page.said, page.drawing = [], "app"
    page.on("console", lambda message: keep(page.said, message))
    close_templates(page)
    page.evaluate("document => app.loadGraphData(document)", app_of(POCKET))
    concepts = page.get_by_role("textbox").filter(visible=True).first
    concepts.wait_for()
    page.locator('[data-ca="viewer"]').wait_for()
    concepts.fill("tree, sky")
    page.get_by_role("button", name="Run", exact=True).last.click()
    # An earlier run of this workflow may be in view until then.
    labels = "tree, sky, background"
    page.wait_for_function(f"() => ({_LABELS})().join(', ') === '{labels}'", timeout=240_000)
    page.wait_for_function(f"() => ({_SHEET})().some(width => width > 256)")
    page.wait_for_function("() => document.querySelector('[data-ca=\"viewer\"]').dataset.ready")
    screenshot(page, "app")
    assert errors_shown(page) == []
    assert "\n".join(page.said) == ""


def app_of(path):
    """A workflow as App mode keeps it: the concepts and the viewer in view, the viewer's result."""
    document = json.loads(path.read_text(encoding="utf-8"))
    of = {node["type"]: node["id"] for node in document["nodes"]}
    viewer, encoder = of["ConceptAttentionViewer"], of["ConceptAttentionEncode"]
    inputs = [[encoder, "concepts"], [viewer, "viewer"]]
    app = {"linearMode": True, "linearData": {"inputs": inputs, "outputs": [viewer]}}
    return {**document, "extra": {**document.get("extra", {}), **app}}
