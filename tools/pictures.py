"""The pictures in the README, the help pages and of the pocket workflows, all from real runs."""

import io
import json
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

import help_pictures
from hosting import cache, locate, pack, workflow
from hosting.server import Server

WORKFLOW = pack.ROOT / "example_workflows" / "Pocket - concept heatmaps.json"
OTHERS = sorted(set(WORKFLOW.parent.glob("Pocket*.json")) - {WORKFLOW})
DOCS = pack.ROOT / "docs"
# Titles of what shows a workflow best.
_SHEETS = (
    "Overlay",
    "Chart",
    "Before, mask and after",
    "Comparison",
    "Contact sheet",
    "Side by side",
)
# What the pages of docs/ show: a workflow, the title of what it saves, and the picture's name.
_PAGES = (
    ("Pocket - prompt report", "Chart", "report"),
    ("Pocket - audit", "Chart", "audit"),
    ("Pocket - compare two models", "Comparison", "models"),
    ("Pocket - LoRA on and off", "Comparison", "lora"),
    ("Pocket - timeline", "Contact sheet", "timeline"),
    ("Pocket - timeline", "Curves", "curves"),
    ("Pocket - words of the prompt", "Overlay", "words"),
    ("Pocket - negative prompt", "Without and with it", "night"),
    ("Pocket - negative prompt", "Comparison", "negative"),
    ("Pocket - kinds of maps", "Side by side", "kinds"),
    ("Pocket - inpaint a concept", "Before, mask and after", "inpaint"),
)
_PAGE = (1280, 1600)  # at most, in pixels
_THUMBNAIL = (640, 640)  # at most, in pixels
_PATIENCE = 90_000  # milliseconds, for a busy machine

_IS_UP = """() => window.app?.isGraphReady && !window.app.extensionManager.spinner
    && window.app.extensionManager.workflow.activeWorkflow"""
# However small the whole graph is, its words are drawn, and nothing lies over it.
_LEGIBLE = """async () => {
    const {setting} = app.extensionManager
    await setting.set("LiteGraph.Canvas.MinFontSizeForLOD", 0)
    await setting.set("Comfy.Minimap.Visible", false)
}"""
_IS_SHOWN = """() => app.rootGraph.nodes.filter(node => node.type === "SaveImage")
    .every(node => node.imgs?.length && node.imgs.every(image => image.naturalWidth))"""


def main() -> None:
    """Run the workflow in a browser and write its overlay and a picture of the editor."""
    DOCS.mkdir(exist_ok=True)
    with cache.scratch("pictures") as folder, Server(locate.provide(), folder, cpu=True) as server:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=os.environ["CHROMIUM"], args=["--no-sandbox", "--disable-gpu"]
            )
            page = chromium.new_page(viewport={"width": 1800, "height": 1000})
            page.set_default_timeout(_PATIENCE)
            page.goto(server.client.url)
            page.wait_for_function(_IS_UP)
            _save(_shot(page), "workflow")
            _save(_overlay(server), "sheet")
            page.set_viewport_size({"width": 1600, "height": 1300})
            help_pictures.make(page)
            chromium.close()
        for path in OTHERS:
            saved = _saved_by_run(server, path)
            _thumbnail(path, next(saved[title] for title in _SHEETS if title in saved))
            for title, name in ((each[1], each[2]) for each in _PAGES if each[0] == path.stem):
                saved[title].thumbnail(_PAGE)
                _save(saved[title], name)


def _shot(page: Page) -> Image.Image:
    """The editor with the workflow after its run, the whole graph in view."""
    page.keyboard.press("Escape")  # the templates, which a first visit is shown
    page.get_by_test_id("dialog-overlay").wait_for(state="detached")
    page.evaluate(_LEGIBLE)
    document = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    page.evaluate("document => app.loadGraphData(document)", document)
    page.get_by_test_id("queue-button").click()
    page.wait_for_function(_IS_SHOWN)
    page.evaluate("() => app.extensionManager.command.execute('Comfy.Canvas.FitView')")
    page.wait_for_timeout(3000)  # the view glides there
    return Image.open(io.BytesIO(page.screenshot()))


def _overlay(server: Server) -> Image.Image:
    """The sheet that the run in the editor saved; also the workflow's thumbnail."""
    (path,) = server.output.rglob("overlay_*.png")
    sheet = Image.open(path).convert("RGB")
    _thumbnail(WORKFLOW, sheet)
    return sheet


def _saved_by_run(server: Server, path: Path) -> dict[str, Image.Image]:
    """What a run of another workflow saves of the pictures wanted, by the nodes' titles."""
    document = json.loads(path.read_text(encoding="utf-8"))
    prompt = workflow.to_prompt(document, server.client.object_info())
    saved = server.client.run(prompt, document, lambda kind, data: None)["outputs"]
    titles = {*_SHEETS, *(title for _, title, _ in _PAGES)}
    return {
        prompt[key]["_meta"]["title"]: Image.open(io.BytesIO(server.client.view(record)))
        for key, node in saved.items()
        for record in node.get("images", [])[:1]
        if prompt[key]["_meta"]["title"] in titles
    }


def _thumbnail(path: Path, sheet: Image.Image) -> None:
    small = sheet.convert("RGB")
    small.thumbnail(_THUMBNAIL)
    small.save(path.with_suffix(".jpg"), quality=88, optimize=True)
    print(f"Written: {path.with_suffix('.jpg').relative_to(pack.ROOT)}")


def _save(picture: Image.Image, name: str) -> None:
    path = DOCS / f"{name}.jpg"
    picture.convert("RGB").save(path, quality=88, optimize=True)
    print(f"Written: {path.relative_to(pack.ROOT)}")


if __name__ == "__main__":
    main()
