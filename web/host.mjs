/**
 * The one file that touches ComfyUI's front end. Everything else here is plain JavaScript.
 */
// @ts-ignore served by the host
import { app } from "../../scripts/app.js";
// @ts-ignore served by the host
import { api } from "../../scripts/api.js";

/** Add to the editor what an extension of it may have. @param {object} extension */
export function extend(extension) {
    app.registerExtension(extension);
}

/** The open workflow. @returns {any} undefined if there is none yet */
export function root() {
    return app.rootGraph ?? app.graph;
}

/** The open workflow and its subgraphs. @returns {any[]} */
export function graphs() {
    const outer = root();
    return outer ? [outer, ...(outer.subgraphs?.values() ?? [])] : [];
}

/** All nodes of the open workflow, those inside subgraphs too. @returns {any[]} */
export function nodes() {
    return graphs().flatMap((graph) => graph.nodes ?? []);
}

/** The key of a node's outputs: "<subgraph>:<node>" or "<node>". @param {any} node */
export function locator(node) {
    const inside = node.graph && !node.graph.isRootGraph;
    return inside ? `${node.graph.id}:${node.id}` : String(node.id);
}

/** A node's widget by its input's name. @param {any} node @param {string} name @returns {any} */
export function widget(node, name) {
    return node.widgets?.find((/** @type {any} */ each) => each.name === name);
}

/**
 * Set a widget as a person would: the workflow keeps it and counts as changed.
 * @param {any} node @param {string} name @param {any} value
 */
export function setWidget(node, name, value) {
    const found = widget(node, name);
    if (!found) throw new Error(`${node.type} has no widget ${name}`);
    found.value = value;
    found.callback?.(value);
    node.graph?.setDirtyCanvas(true, true);
}

/** Whether a widget's value comes from another node. @param {any} node @param {string} name */
export function isLinked(node, name) {
    return inputOf(node, name)?.link != null;
}

/** An input as the interface's language names it. @param {any} node @param {string} name */
export function inputName(node, name) {
    return inputOf(node, name)?.localized_name ?? widget(node, name)?.label ?? name;
}

/** @param {any} node @param {string} name */
function inputOf(node, name) {
    return node.inputs?.find((/** @type {any} */ each) => (each.widget?.name ?? each.name) === name);
}

/** The address of a file of a run. @param {{filename: string, subfolder: string, type: string}} file */
export function viewUrl(file) {
    return api.apiURL(`/view?${new URLSearchParams(file)}`);
}

/** A request to a route of the server. @param {string} route @param {RequestInit} [options]
 * @returns {Promise<Response>} */
export function request(route, options) {
    return api.fetchApi(route, options);
}

/** A setting's value. @param {string} id @returns {any} */
export function setting(id) {
    return app.extensionManager.setting.get(id);
}

/** The interface's language, such as "en" or "zh". @returns {string} */
export function locale() {
    return setting("Comfy.Locale") ?? "en";
}

/**
 * A short message in the corner.
 * @param {"success" | "info" | "warn" | "error"} severity @param {string} text
 */
export function toast(severity, text) {
    const summary = "Concept Attention";
    app.extensionManager.toast.add({ severity, summary, detail: text, life: 6000 });
}

/**
 * Show an element on a node, in both of the editor's ways to draw nodes.
 * @param {any} node @param {string} name @param {HTMLElement} element
 * @param {number} height the smallest, in pixels
 */
export function addElement(node, name, element, height) {
    element.style.minHeight = `${height}px`; // Nodes 2.0 asks the element, LiteGraph the options
    const added = node.addDOMWidget(name, `CONCEPT_ATTENTION_${name.toUpperCase()}`, element, {
        serialize: false,
        hideOnZoom: false,
        hideInPanel: true, // the panel beside the graph would take the one element away
        getMinHeight: () => height,
    });
    added.serialize = false;
    passOn(element);
    return added;
}

/**
 * In LiteGraph an element over the canvas keeps from it what is meant for it: the wheel, unless one
 * works in the element, and the middle button that drags the graph. Nodes 2.0 sees to that itself.
 * @param {HTMLElement} element
 */
function passOn(element) {
    const overCanvas = () => element.closest(".dom-widget") !== null;
    element.addEventListener(
        "wheel",
        (event) => {
            const gesture = event.ctrlKey || event.metaKey;
            if (!overCanvas() || (!gesture && element.matches(":focus-within"))) return;
            event.preventDefault();
            app.canvas.canvas.dispatchEvent(new WheelEvent(event.type, event));
        },
        { passive: false },
    );
    element.addEventListener("pointerdown", (event) => {
        if (event.button !== 1 || !overCanvas()) return;
        event.preventDefault();
        app.canvas.canvas.dispatchEvent(new PointerEvent(event.type, event));
    });
}

/** Make a node at least this large. @param {any} node @param {[number, number]} size */
export function atLeast(node, [width, height]) {
    node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], height)]);
}

/** Call back when a node got its values from a workflow or a copy. @param {any} node
 * @param {() => void} act */
export function configured(node, act) {
    const before = node.onConfigure;
    node.onConfigure = function () {
        before?.apply(this, arguments);
        act();
    };
}

/** Where a node is: its workflow and itself. @param {any} node */
export function place(node) {
    return `${root()?.id} ${locator(node)}`;
}

/** Make a node taller. @param {any} node @param {number} by pixels, negative: smaller */
export function grow(node, by) {
    node.setSize([node.size[0], node.size[1] + by]);
    redraw(node);
}

/** Draw a node anew. @param {any} node */
export function redraw(node) {
    node.graph?.setDirtyCanvas(true, true);
}

/** When the workflow that is being opened is there. */
export async function loaded() {
    while (app.configuringGraph) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve)); // nodes are told of outputs until then
}

/** What the editor keeps of a node's last run, until another workflow is opened. @param {any} node */
export function keptOutput(node) {
    return app.nodeOutputs?.[locator(node)];
}

/** Let go of that, so that a tab switch does not bring it back. @param {any} node */
export function dropOutput(node) {
    if (app.nodeOutputs) delete app.nodeOutputs[locator(node)];
}

/**
 * Call back when a node fails in a run.
 * @param {(id: string) => void} act takes the name under which the node ran
 */
export function failing(act) {
    api.addEventListener("execution_error", (/** @type {any} */ { detail }) => act(`${detail.node_id}`));
}

/** Whether a workflow is being opened, so that a node that is made is not a new one. */
export function isOpening() {
    return Boolean(app.configuringGraph);
}

/** Call back when a widget's value is changed. @param {any} node @param {string} name
 * @param {() => void} act */
export function changed(node, name, act) {
    const found = widget(node, name);
    const before = found?.callback;
    if (!found) return;
    found.callback = function () {
        before?.apply(this, arguments);
        act();
    };
}

const EDGE = 6; // pixels that LiteGraph keeps around a compact element

/**
 * Let an added element be as high as it must, in LiteGraph too, which would share out what is left.
 * @param {any} added what addElement returned @param {number} height in pixels
 * @param {number} [most] as high as it may get in LiteGraph
 */
export function fix(added, height, most = height) {
    added.element.style.minHeight = `${height}px`;
    added.options.margin = EDGE;
    added.options.getMinHeight = () => height + 2 * EDGE;
    added.options.getMaxHeight = () => most + 2 * EDGE;
}

/**
 * Give such an element another height; the node grows or shrinks by the difference.
 * @param {any} node @param {any} added @param {number} height in pixels
 */
export function resize(node, added, height) {
    const by = height - parseFloat(added.element.style.minHeight);
    if (!by) return;
    fix(added, height);
    grow(node, by);
}
