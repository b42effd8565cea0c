/**
 * The one file that touches ComfyUI's front end. Everything else here is plain JavaScript.
 */
// @ts-ignore served by the host
import { app } from "../../scripts/app.js";
// @ts-ignore served by the host
import { api } from "../../scripts/api.js";

const NAME = "concept_attention";

/**
 * A part of the pack's interface.
 * @typedef {object} Part
 * @property {string} [node] the node type it belongs to
 * @property {(node: any) => void} [created] called for every new or loaded node of that type
 * @property {(node: any, output: any) => void} [output] called with what a run (or a tab switch or
 *   a reload) says the node showed
 * @property {object[]} [settings] entries of the settings page
 * @property {() => void} [setup] called once, when the editor is up
 */

/**
 * Register the pack's parts as one extension.
 * @param {Part[]} parts
 */
export function register(parts) {
    app.registerExtension({
        name: NAME,
        settings: parts.flatMap((part) => part.settings ?? []),
        setup() {
            for (const part of parts) part.setup?.();
        },
        nodeCreated(/** @type {any} */ node) {
            for (const part of parts) {
                if (part.node !== node.constructor.comfyClass) continue;
                part.created?.(node);
                const show = part.output;
                if (!show) continue;
                const before = node.onExecuted;
                node.onExecuted = function (/** @type {any} */ output) {
                    before?.apply(this, arguments);
                    history = undefined; // it does not know of this run
                    show(node, output);
                };
            }
        },
        /** A tab switch or a reload: outputs by locator id, "<subgraph>:<node>" or "<node>". */
        onNodeOutputsUpdated(/** @type {Record<string, any>} */ outputs) {
            for (const part of parts.filter((part) => part.output && part.node)) {
                for (const node of nodes(part.node)) {
                    const output = outputs[locator(node)];
                    if (output) part.output?.(node, output);
                }
            }
        },
    });
}

/** The open workflow and its subgraphs. @returns {any[]} */
export function graphs() {
    const root = app.rootGraph ?? app.graph;
    return root ? [root, ...(root.subgraphs?.values() ?? [])] : [];
}

/**
 * All nodes of the open workflow, those inside subgraphs too.
 * @param {string} [type]
 * @returns {any[]}
 */
export function nodes(type) {
    const found = graphs().flatMap((graph) => graph.nodes ?? []);
    return type ? found.filter((node) => node.constructor.comfyClass === type) : found;
}

/** The key of a node's outputs. @param {any} node */
function locator(node) {
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
    return `${(app.rootGraph ?? app.graph)?.id} ${locator(node)}`;
}

/** Make a node taller. @param {any} node @param {number} by pixels, negative: smaller */
export function grow(node, by) {
    node.setSize([node.size[0], node.size[1] + by]);
    node.graph?.setDirtyCanvas(true, true);
}

/** When the workflow that is being opened is there. */
export async function loaded() {
    while (app.configuringGraph) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve)); // nodes are told of outputs until then
}

const RECENT = 32; // runs that are looked through
const FRESH = 2000; // milliseconds for which one request serves all nodes of a workflow
/** @type {{runs: Promise<any>, time: number} | undefined} */
let history;

function recentRuns() {
    if (!history || performance.now() - history.time > FRESH) {
        const runs = request(`/history?max_items=${RECENT}`).then((answer) => answer.json());
        history = { runs, time: performance.now() };
    }
    return history.runs;
}

/**
 * What the last run of the open workflow, of those that the server remembers, said for a node.
 * @param {any} node @returns {Promise<any>} undefined if there is none
 */
export async function lastOutput(node) {
    const workflow = (app.rootGraph ?? app.graph)?.id;
    const ids = executionIds(node);
    for (const run of Object.values(await recentRuns()).reverse()) {
        if (run.prompt?.[3]?.extra_pnginfo?.workflow?.id !== workflow) continue;
        const id = ids.find((each) => run.outputs?.[each]);
        if (id) return run.outputs[id];
    }
    return undefined;
}

/**
 * The names under which a node runs: its id, behind those of the subgraphs that it is in.
 * @param {any} node @returns {string[]}
 */
function executionIds(node) {
    /** @type {(graph: any, path: string) => string[]} */
    const within = (graph, path) =>
        (graph?.nodes ?? []).flatMap((/** @type {any} */ each) => [
            ...(each === node ? [`${path}${each.id}`] : []),
            ...(each.subgraph ? within(each.subgraph, `${path}${each.id}:`) : []),
        ]);
    return within(app.rootGraph ?? app.graph, "");
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
 */
export function fix(added, height) {
    added.element.style.minHeight = `${height}px`;
    added.options.margin = EDGE;
    added.options.getMinHeight = added.options.getMaxHeight = () => height + 2 * EDGE;
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
