"""What a person does in the real editor, for the tests in a browser."""

import json
import re

from playwright.sync_api import TimeoutError

from hosting import pack

SCREENSHOTS = pack.ROOT / "output" / "browser"

# Places outside that the server forbids its page to ask, and the pictures that only a workflow
# which was run here has.
_EXPECTED = re.compile(r"huggingface\.co|api\.comfy\.org|workflow_templates/(?!.*Pocket).*\.jpg")


def keep(said, message):
    """Keep a warning or error of the console that is not the editor's own."""
    text = f"{message.type}: {message.text} ({message.location.get('url', '')})"
    if message.type in ("warning", "error") and not _EXPECTED.search(text):
        said.append(text)


def set_drawing(page, vue):
    """Draw nodes by Nodes 2.0, or by LiteGraph."""
    name = "Comfy.VueNodes.Enabled"
    page.evaluate("([name, on]) => app.extensionManager.setting.set(name, on)", [name, vue])
    page.wait_for_function("on => LiteGraph.vueNodesMode === on", arg=vue)
    page.drawing = "nodes-2" if vue else "litegraph"


def open_from_templates(page, client, name):
    """Open an example as a person does: in the template browser, below the pack's name."""
    (module,) = client.get("/workflow_templates")
    page.evaluate("() => { app.extensionManager.command.execute('Comfy.BrowseTemplates') }")
    page.get_by_role("dialog").get_by_text(module, exact=True).click()
    page.get_by_test_id(f"template-workflow-{name}").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.wait_for_function("() => app.rootGraph.nodes.some(n => n.type.startsWith('Concept'))")


def close_templates(page):
    """A first visit is shown the templates."""
    page.keyboard.press("Escape")
    page.get_by_test_id("dialog-overlay").wait_for(state="detached")


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
