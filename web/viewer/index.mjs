/** The viewer on the Heatmap Viewer node. */
import * as host from "../host.mjs";
import { translator } from "../strings.mjs";
import { kept, restored } from "./state.mjs";
import { Viewer } from "./viewer.mjs";

const KEY = "concept_attention"; // of the node's properties
const SHOWN = "concept_attention_view"; // of what the node says after a run
const SIZE = /** @type {[number, number]} */ ([460, 720]);
const SMALLEST = 360; // height in pixels

/** @type {WeakMap<object, Viewer>} */
const viewers = new WeakMap();
/** Runs that are kept to compare with, by workflow and node. @type {Map<string, any>} */
const keptRuns = new Map();

/** @param {any} node */
function created(node) {
    const words = translator(host.locale());
    const viewer = new Viewer({
        words,
        state: restored(host.isOpening() ? {} : defaults()),
        remember: (state) => (node.properties[KEY] = kept(state)),
        address: host.viewUrl,
        setInputs: (values) => {
            const linked = Object.keys(values).filter((name) => host.isLinked(node, name));
            for (const [name, value] of Object.entries(values)) {
                if (!linked.includes(name)) host.setWidget(node, name, value);
            }
            return linked.map((name) => host.inputName(node, name));
        },
        grow: (by) => host.grow(node, by),
        toast: host.toast,
        keptBundle: () => keptRuns.get(host.place(node)),
        keepBundle: (bundle) => {
            if (bundle) keptRuns.set(host.place(node), bundle);
            else keptRuns.delete(host.place(node));
        },
    });
    viewers.set(node, viewer);
    host.addElement(node, "viewer", viewer.face.element, SMALLEST);
    host.atLeast(node, SIZE);
    // Kept at once: a workflow keeps the looks it was made with, whoever opens it.
    if (!host.isOpening()) node.properties[KEY] = kept(viewer.state);
    host.configured(node, () => viewer.restore(restored(node.properties[KEY])));
}

/** What a new viewer looks like, from the settings. */
function defaults() {
    const [colormap, opacity] = ["colormap", "opacity"].map((id) => host.setting(`${KEY}.${id}`));
    return { ...(colormap && { colormap }), ...(Number.isFinite(opacity) && { opacity }) };
}

/** @param {any} node @param {any} output */
function output(node, output) {
    const bundles = output?.[SHOWN];
    if (bundles?.length) void viewers.get(node)?.show(bundles);
}

/** @type {import("../parts.mjs").Part} */
export const viewerPart = { node: "ConceptAttentionViewer", created, output };
