/** The text that a node's run ends with, at the node's foot for as long as the run is known. */
import * as host from "../host.mjs";
import { translator } from "../strings.mjs";
import { Panel } from "./panel.mjs";
import { heights, textOf } from "./text.mjs";

/** @type {WeakMap<object, {panel: Panel, added: any}>} */
const shown = new WeakMap();

/** @param {any} node @param {any} said */
function output(node, said) {
    const text = textOf(said);
    if (text) show(node, text);
    else if (text === "") hide(node);
}

/** @param {any} node @param {string} text */
function show(node, text) {
    const { least, most } = heights(text, node.size[0]);
    const { panel, added } = shown.get(node) ?? made(node, least);
    panel.show(text);
    host.fix(added, least, most);
    host.redraw(node);
}

/** @param {any} node @param {number} height */
function made(node, height) {
    const panel = new Panel({ words: translator(host.locale(), "result"), toast: host.toast });
    const added = host.addElement(node, "result", panel.element, height);
    shown.set(node, { panel, added });
    return { panel, added };
}

/** @param {any} node */
function hide(node) {
    const there = shown.get(node);
    if (!there) return;
    shown.delete(node);
    node.removeWidget(there.added);
}

/** What an earlier run said is not of this one, which has an error in its place. @param {any} node */
function failed(node) {
    host.dropOutput(node);
    hide(node);
}

/** @type {import("../parts.mjs").Part} */
export const resultPart = { output, failed };
