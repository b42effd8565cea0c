"""Time of the viewer in a real browser: `make viewer`. Prints the rows of BENCHMARKS.md."""

import os

import torch
from playwright.sync_api import Page, sync_playwright

from bench_timing import spread
from hosting import cache, locate, pack
from hosting.server import Server

_ROUNDS = 9
_SIDE = 1024
_UP = """() => window.app?.isGraphReady && !window.app.extensionManager.spinner
    && window.app.extensionManager.workflow.activeWorkflow"""

# A picture, a capture file and the viewer.
_GRAPH = """file => {
    const types = ["EmptyImage", "ConceptAttentionLoad", "ConceptAttentionViewer"]
    const [image, load, viewer] = types.map(type => LiteGraph.createNode(type))
    app.rootGraph.clear()
    ;[image, load, viewer].forEach((node, i) => {
        app.rootGraph.add(node)
        node.pos = [[20, 40], [20, 240], [360, 40]][i]
    })
    const set = (node, name, value) => {
        node.widgets.find(each => each.name === name).value = value
    }
    set(image, "width", 1024)
    set(image, "height", 1024)
    set(load, "file", file)
    image.connect(0, viewer, 0)
    load.connect(0, viewer, 1)
    app.canvas.ds.scale = 1
    app.canvas.ds.offset = [0, 0]
}"""

# From the node's message to its maps on the screen; another colour each time, so that nothing of
# the run before can be used again.
_SHOW = """async colour => {
    const viewer = app.rootGraph.nodes.find(node => node.type === "ConceptAttentionViewer")
    const image = app.rootGraph.nodes.find(node => node.type === "EmptyImage")
    image.widgets.find(each => each.name === "color").value = colour
    const stage = document.querySelector('[data-ca="viewer"]').shadowRoot
        .querySelector('[data-ca="stage"]')
    const before = stage.dataset.painted
    let said = 0
    const shown = viewer.onExecuted
    viewer.onExecuted = function () {
        said = performance.now()
        shown.apply(this, arguments)
    }
    const painted = new Promise(done => {
        const watch = new MutationObserver(() => {
            if (stage.dataset.painted === before || !said) return
            watch.disconnect()
            done(performance.now() - said)
        })
        watch.observe(stage, {attributes: true})
    })
    await app.queuePrompt(0)
    const time = await painted
    viewer.onExecuted = shown
    return time
}"""

# Script of the page for each frame of a drag: the input's event and the frame that paints.
_DRAG = """async name => {
    const root = document.querySelector('[data-ca="viewer"]').shadowRoot
    const input = root.querySelector(`[data-ca="${name}"]`)
    const frame = window.requestAnimationFrame
    const [low, high] = [Number(input.min), Number(input.max)]
    const times = []
    let spent = 0
    window.requestAnimationFrame = act => frame(time => {
        const start = performance.now()
        act(time)
        spent += performance.now() - start
    })
    for (let i = 1; i <= 60; i++) {
        spent = 0
        const start = performance.now()
        input.value = String(low + (high - low) * ((i * 7) % 20) / 20)
        input.dispatchEvent(new Event("input"))
        spent += performance.now() - start
        await new Promise(done => frame(() => frame(done)))
        if (i > 10) times.push(spent)
    }
    window.requestAnimationFrame = frame
    return times
}"""
_SLIDERS = ("layers-last", "steps-first", "temperature", "smoothing", "opacity", "threshold")


def main() -> None:
    """Measure in Chromium without a window, on a capture of full size."""
    with cache.scratch("viewer") as folder, Server(locate.provide(), folder, cpu=True) as server:
        _write_capture(folder / "input" / "full.capture.safetensors")
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=os.environ["CHROMIUM"], args=["--no-sandbox", "--disable-gpu"]
            )
            page = chromium.new_page(viewport={"width": 1400, "height": 1000})
            page.goto(server.client.url)
            page.wait_for_function(_UP)
            _measure(page)
            chromium.close()


def _measure(page: Page) -> None:
    page.keyboard.press("Escape")  # the templates, which a first visit is shown
    page.evaluate(_GRAPH, "full.capture.safetensors")
    times = [page.evaluate(_SHOW, 1000 * i) for i in range(1, _ROUNDS + 2)][1:]
    print("\n| part | time |\n| --- | --- |")
    _row("from the node's message to its maps", times)
    page.locator('[data-ca="tune"]').click()
    for name in _SLIDERS:
        _row(f"script for each frame, dragging {name}", page.evaluate(_DRAG, name))
    page.locator('[data-ca="mode-segments"]').click()
    _row("the same as segments, dragging layers-last", page.evaluate(_DRAG, "layers-last"))


def _row(name: str, times: list[float]) -> None:
    found = spread(times)
    text = f"{found.median:.1f} ms ({found.low:.1f} to {found.high:.1f}), n = {found.count}"
    print(f"| {name} | {text} |")


def _write_capture(path) -> None:
    """8 concepts and the background, 64 x 64 tokens, 4 layers, 20 steps."""
    pack.register()
    from concept_attention.core.files import save_capture
    from concept_attention.core.types import Capture

    scores = torch.randn(1, 20, 4, 9, 64 * 64, generator=torch.Generator().manual_seed(0)) * 4
    save_capture(
        path,
        Capture(
            scores=scores,
            norms=torch.ones(scores.shape[:-1]),
            grid=(1, 64, 64),
            picture=(_SIDE, _SIDE),
            steps=tuple(range(20)),
            layers=tuple((layer,) for layer in range(15, 19)),
            sigmas=tuple(1 - step / 20 for step in range(20)),
            total_steps=20,
            total_layers=19,
            labels=(*(f"concept {i}" for i in range(8)), "background"),
            background=(*(False for _ in range(8)), True),
            family="flux",
        ),
    )


if __name__ == "__main__":
    main()
