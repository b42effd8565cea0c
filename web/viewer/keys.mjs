/** The keyboard in the viewer. */
import { focusMoved } from "./state.mjs";

const ZOOM = 1.3;

/** @type {Record<string, number>} */
const ARROWS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/**
 * Arrows: the concept; with shift: frame or batch item; space: plain picture; plus, minus, 0: zoom;
 * escape: no concept is pinned.
 * Keys that the viewer takes never reach the editor, those with ctrl, alt or meta always do.
 * @param {import("./viewer.mjs").Viewer} viewer @param {KeyboardEvent} event
 */
export function keyed(viewer, event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    event.stopPropagation();
    const { toolbar } = viewer.face;
    const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
    const own = target.localName;
    if (!toolbar.menu.hidden) {
        if (!inMenu(toolbar, event.key, target)) return;
    } else if (own === "select" || (own === "input" && event.key in ARROWS && !event.shiftKey)) {
        return;
    } else if ((own === "button" || own === "input") && [" ", "Enter"].includes(event.key)) {
        return;
    } else if (!act(viewer, event)) {
        return;
    }
    event.preventDefault();
}

/**
 * @param {import("./viewer.mjs").Viewer} viewer @param {KeyboardEvent} event
 * @returns {boolean} whether the key means something here
 */
function act(viewer, { key, shiftKey }) {
    const run = viewer.side?.run;
    if (!run) return false;
    const by = ARROWS[key];
    const { legend } = viewer.face;
    if (key === "Escape" && viewer.state.pinned.length) {
        viewer.change({ pinned: [] });
    } else if (by && !shiftKey && legend.focused) {
        legend.step(by);
    } else if (by && shiftKey) {
        viewer.change({ item: (viewer.state.item + by + run.count) % run.count });
    } else if (by) {
        viewer.change(focusMoved(viewer.state, run.shownLabels, by, run.first));
    } else if (key === " ") {
        viewer.change({ plain: !viewer.state.plain });
    } else if (key === "+" || key === "=") {
        viewer.face.stage.zoom(ZOOM);
    } else if (key === "-") {
        viewer.face.stage.zoom(1 / ZOOM);
    } else if (key === "0") {
        viewer.face.stage.zoom(0);
    } else {
        return false;
    }
    return true;
}

/**
 * @param {import("./toolbar.mjs").Toolbar} toolbar @param {string} key @param {HTMLElement} target
 * @returns {boolean} whether the key means something in the menu
 */
function inMenu(toolbar, key, target) {
    const entries = [...toolbar.menu.children];
    if (key === "Escape") {
        toolbar.open(false);
        toolbar.more.focus();
    } else if (key in ARROWS) {
        const at = entries.indexOf(target) + ARROWS[key];
        entries[(at + entries.length) % entries.length].focus();
    } else {
        return false;
    }
    return true;
}
