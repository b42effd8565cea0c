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

/**
 * All nodes of the open workflow, those inside subgraphs too.
 * @param {string} [type]
 * @returns {any[]}
 */
export function nodes(type) {
    const root = app.rootGraph ?? app.graph;
    if (!root) return [];
    const graphs = [root, ...(root.subgraphs?.values() ?? [])];
    const found = graphs.flatMap((graph) => graph.nodes ?? []);
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

/** The address of a file of a run. @param {{filename: string, subfolder: string, type: string}} file */
export function viewUrl(file) {
    return api.apiURL(`/view?${new URLSearchParams(file)}`);
}

/** A request to a route of the server. @param {string} route @param {RequestInit} [options] */
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
