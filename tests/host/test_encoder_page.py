"""The Concept Encoder's row in the real editor: concepts from the prompt."""

import urllib.request

import pytest

from hosting import pack

from .editor import open_file, screenshot

EXAMPLE = pack.ROOT / "example_workflows" / "Pocket - concept heatmaps.json"
LONG = (
    "A woman with red hair stands in a field of sunflowers, holding a basket of apples. Behind "
    "her, a windmill rises against a cloudy sky, oil painting"
)

_ENCODER = "app.rootGraph.nodes.find(node => node.type === 'ConceptAttentionEncode')"
_SET_PROMPT = """text => { for (const node of app.rootGraph.nodes)
    if (node.type === "CLIPTextEncode" && node.widgets[0].value) node.widgets[0].value = text }"""
_SHOW = f"""() => {{
    const node = {_ENCODER}, {{ds}} = app.canvas
    ds.scale = 1.1
    ds.offset = [300 - node.pos[0], 200 - node.pos[1]]
    app.canvas.setDirty(true, true)
}}"""


@pytest.fixture(scope="module", autouse=True)
def no_welcome(client):
    """The editor does not open its templates by itself, as it does for a new user."""
    address = client.url.rstrip("/") + "/settings/Comfy.TutorialCompleted"
    urllib.request.urlopen(urllib.request.Request(address, b"true")).close()


def open_encoder(page):
    open_file(page, EXAMPLE)
    page.evaluate(_SHOW)
    return page.get_by_role("button", name="From the prompt", exact=True)


def chips(page):
    return page.get_by_role("group", name="From the prompt").get_by_role("button")


def pressed(page):
    found = chips(page).evaluate_all("all => all.map(each => [each.textContent, each.ariaPressed])")
    return [text for text, state in found if state == "true"]


def concepts(page):
    return page.evaluate(f"() => {_ENCODER}.widgets[0].value")


def size(page):
    page.wait_for_timeout(300)  # nodes get their sizes in the next frames
    return page.evaluate(f"() => [...{_ENCODER}.size]")


def test_chips_put_the_prompt_s_nouns_into_the_concepts_and_out_again(editor):
    button = open_encoder(editor)
    editor.evaluate(_SET_PROMPT, LONG)
    before = size(editor)
    values = editor.evaluate(f"() => {_ENCODER}.serialize().widgets_values")
    button.click()
    chips(editor).first.wait_for()
    assert chips(editor).all_inner_texts() == [
        *("woman", "hair", "field", "sunflowers", "basket", "apples", "windmill", "sky"),
        "oil painting",
    ]
    assert button.get_attribute("aria-expanded") == "true"
    assert pressed(editor) == ["sky"]
    assert size(editor)[1] > before[1] + 30
    chips(editor).get_by_text("windmill").click()
    assert concepts(editor) == "house, tree, grass, sky, boat, windmill"
    chips(editor).get_by_text("sky").click()
    assert concepts(editor) == "house, tree, grass, boat, windmill"
    assert pressed(editor) == ["windmill"]
    screenshot(editor, "concepts from the prompt")
    editor.get_by_role("button", name="Use all").click()
    assert concepts(editor) == ", ".join(chips(editor).all_inner_texts()[:-1])
    button.click()
    assert chips(editor).count() == 0
    assert size(editor) == before
    after = editor.evaluate(f"() => {_ENCODER}.serialize().widgets_values")
    assert (len(after), after[1:]) == (len(values), values[1:])
    assert "\n".join(editor.said) == ""


def test_chips_follow_what_is_typed(editor):
    button = open_encoder(editor)
    button.click()
    chips(editor).first.wait_for()
    assert pressed(editor) == ["house", "tree", "grass", "sky"]
    area = editor.get_by_placeholder("concepts").or_(editor.get_by_label("concepts"))
    area.filter(visible=True).first.fill('Tree, "red, white flag"')
    editor.wait_for_timeout(200)
    assert pressed(editor) == ["tree"]
    chips(editor).get_by_text("tree").click()
    assert concepts(editor) == '"red, white flag"'


def test_no_prompt_is_said_in_a_toast(editor):
    button = open_encoder(editor)
    editor.evaluate("""() => { for (const node of [...app.rootGraph.nodes])
        if (node.type === "CLIPTextEncode") app.rootGraph.remove(node) }""")
    button.click()
    editor.get_by_text("No prompt was found.").wait_for()
    assert chips(editor).count() == 0
