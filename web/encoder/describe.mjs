/** From the editor's graphs to what graph.mjs searches. */

const TEXT_WIDGETS = ["customtext", "text", "string", "textarea"];
const BYPASSED = 4; // a node's mode

/**
 * The editor's graphs in plain values.
 * @param {any[]} graphs @returns {import("./graph.mjs").Graph[]}
 */
export function describe(graphs) {
    return graphs.map((graph) => ({
        id: graph.id,
        nodes: graph.nodes.map(described),
        links: [...graph.links.values()].map((/** @type {any} */ link) => ({
            id: link.id,
            from: link.origin_id,
            fromSlot: link.origin_slot,
            to: link.target_id,
            toSlot: link.target_slot,
        })),
    }));
}

/** @param {any} node @returns {import("./graph.mjs").Node} */
function described(node) {
    const texts = (node.widgets ?? []).filter(
        (/** @type {any} */ each) =>
            TEXT_WIDGETS.includes(each.type?.toLowerCase()) && typeof each.value === "string",
    );
    return {
        id: node.id,
        type: node.type,
        bypassed: node.mode === BYPASSED,
        subgraph: node.subgraph?.id,
        inputs: (node.inputs ?? []).map((/** @type {any} */ { name, type, link }) => ({
            name,
            type: String(type),
            link,
        })),
        outputs: (node.outputs ?? []).map((/** @type {any} */ { type }) => ({ type: String(type) })),
        texts: texts.map((/** @type {any} */ { name, value }) => ({ name, value })),
    };
}
