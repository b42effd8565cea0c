/** Finding a prompt's text in a workflow that is described in plain values. */

/** @typedef {{name: string, type: string, link: number | null}} Socket */
/** @typedef {{name: string, value: string}} Text a text widget */
/**
 * @typedef {object} Node
 * @property {number | string} id
 * @property {string} type
 * @property {boolean} [bypassed]
 * @property {string} [subgraph] the graph that it stands for
 * @property {Socket[]} inputs
 * @property {{type: string}[]} outputs
 * @property {Text[]} texts
 */
/** @typedef {{id: number, from: any, fromSlot: number, to: any, toSlot: number}} Link */
/** @typedef {{id: string, nodes: Node[], links: Link[]}} Graph */
/** @typedef {{graph: Graph, node: Node, slot: number}} Place */

// What links inside a subgraph name as the other end of its own inputs and outputs.
const INPUTS = -10;
const OUTPUTS = -20;

const ENCODER = "ConceptAttentionEncode";
const NO_PROSE = /delimiter|separator|find|regex|pattern|path|file|name|mode/i;

/** Links followed through reroutes, bypassed nodes and subgraphs. */
class Wiring {
    /** @param {Graph[]} graphs */
    constructor(graphs) {
        this.graphs = graphs;
    }

    /** The nodes that stand for a graph. @param {Graph} graph @returns {Place[]} */
    instances(graph) {
        return this.graphs.flatMap((outer) =>
            outer.nodes
                .filter((node) => node.subgraph === graph.id)
                .map((node) => ({ graph: outer, node, slot: 0 })),
        );
    }

    /** What a graph's node stands for. @param {Node} node */
    inside(node) {
        return this.graphs.find((graph) => graph.id === node.subgraph);
    }

    /**
     * The output that an input is linked to; its slot is the output's.
     * @param {Graph} graph @param {Node} node @param {number} slot @param {number} [depth]
     * @returns {Place | undefined}
     */
    source(graph, node, slot, depth = 0) {
        const link = graph.links.find((each) => each.id === node.inputs[slot]?.link);
        return link && this.origin(graph, link, depth);
    }

    /** @param {Graph} graph @param {Link} link @param {number} depth @returns {Place | undefined} */
    origin(graph, link, depth) {
        if (depth > 100) return undefined; // links in a circle
        if (link.from === INPUTS) {
            const [outer] = this.instances(graph);
            return outer && this.source(outer.graph, outer.node, link.fromSlot, depth + 1);
        }
        const node = graph.nodes.find((each) => each.id === link.from);
        if (!node) return undefined;
        const inside = this.inside(node);
        if (inside && !node.bypassed) {
            const end = inside.links.find((l) => l.to === OUTPUTS && l.toSlot === link.fromSlot);
            return end && this.origin(inside, end, depth + 1);
        }
        if (!passes(node)) return { graph, node, slot: link.fromSlot };
        const type = node.outputs[link.fromSlot]?.type;
        const through = node.inputs.findIndex((each) => reroutes(node) || each.type === type);
        return this.source(graph, node, through, depth + 1);
    }

    /**
     * The inputs that an output is linked to; their slots are the inputs'.
     * @param {Graph} graph @param {any} id of the node, or INPUTS @param {number} slot
     * @param {number} [depth] @returns {Place[]}
     */
    targets(graph, id, slot, depth = 0) {
        if (depth > 100) return [];
        const links = graph.links.filter((each) => each.from === id && each.fromSlot === slot);
        return links.flatMap((link) => this.ends(graph, link, depth));
    }

    /** @param {Graph} graph @param {Link} link @param {number} depth @returns {Place[]} */
    ends(graph, link, depth) {
        if (link.to === OUTPUTS) {
            return this.instances(graph).flatMap((outer) =>
                this.targets(outer.graph, outer.node.id, link.toSlot, depth + 1),
            );
        }
        const node = graph.nodes.find((each) => each.id === link.to);
        if (!node) return [];
        const inside = this.inside(node);
        if (inside && !node.bypassed) return this.targets(inside, INPUTS, link.toSlot, depth + 1);
        if (!passes(node)) return [{ graph, node, slot: link.toSlot }];
        const type = node.inputs[link.toSlot]?.type;
        const slots = node.outputs.map((each, slot) => (reroutes(node) || each.type === type ? slot : -1));
        return slots.flatMap((slot) => this.targets(graph, node.id, slot, depth + 1));
    }
}

/** @param {Node} node */
const reroutes = (node) => node.type === "Reroute";
/** Whether what goes in comes out. @param {Node} node */
const passes = (node) => Boolean(node.bypassed) || reroutes(node);

/** Whether a node makes conditioning of a text, as CLIPTextEncode does. @param {Node} node */
function encodes(node) {
    return (
        node.outputs.some((each) => each.type === "CONDITIONING") &&
        node.inputs.some((each) => each.type === "CLIP") &&
        (node.texts.length > 0 || node.inputs.some((each) => each.type === "STRING"))
    );
}

/** The inputs that lead to what is wanted in the picture. @param {Node} node @returns {number[]} */
function wanted(node) {
    const all = node.inputs.map((each, slot) => ({ ...each, slot })).filter((each) => each.link != null);
    const positive = all.filter((each) => /^positive/i.test(each.name));
    const kinds = all.filter(
        (each) => /^(CONDITIONING|GUIDER)$/.test(each.type) && !/^negative/i.test(each.name),
    );
    return (positive.length ? positive : kinds).map((each) => each.slot);
}

/**
 * The text that a node makes or is given, from the widgets that it is written in.
 * @param {Wiring} wiring @param {Place} place @param {Set<Node>} seen @returns {string[]}
 */
function written(wiring, { graph, node }, seen) {
    if (seen.has(node)) return [];
    seen.add(node);
    const linked = node.inputs.flatMap((each, slot) => {
        const source = each.type === "STRING" && wiring.source(graph, node, slot);
        return source ? written(wiring, source, seen) : [];
    });
    const own = node.texts.filter(
        (text) =>
            !NO_PROSE.test(text.name) &&
            !node.inputs.some((each) => each.name === text.name && each.link != null),
    );
    return [...linked, ...own.map((text) => text.value)].filter((text) => text.trim());
}

/**
 * The texts of what comes into a node's conditioning.
 * @param {Wiring} wiring @param {Place} place @param {Set<Node>} seen @returns {string[]}
 */
function above(wiring, place, seen) {
    const { graph, node } = place;
    if (seen.has(node)) return [];
    seen.add(node);
    if (encodes(node)) return written(wiring, place, new Set());
    return wanted(node).flatMap((slot) => {
        const source = wiring.source(graph, node, slot);
        return source ? above(wiring, source, seen) : [];
    });
}

/**
 * The texts of the conditioning that a node, or the first ones behind it, are given.
 * @param {Wiring} wiring @param {Place} place @param {Set<Node>} seen @returns {string[]}
 */
function around(wiring, place, seen) {
    const { graph, node } = place;
    if (seen.has(node)) return [];
    seen.add(node);
    const found = above(wiring, place, new Set());
    if (found.length) return found;
    return node.outputs.flatMap((_, slot) =>
        wiring.targets(graph, node.id, slot).flatMap((each) => around(wiring, each, seen)),
    );
}

/**
 * The first text that is encoded by the same text encoder, and not for what to avoid.
 * @param {Wiring} wiring @param {Place} place @returns {string[]}
 */
function sameClip(wiring, { graph, node }) {
    const slot = node.inputs.findIndex((each) => each.type === "CLIP");
    const clip = wiring.source(graph, node, slot);
    if (!clip) return [];
    for (const each of wiring.targets(clip.graph, clip.node.id, clip.slot)) {
        if (each.node.type === ENCODER || !encodes(each.node)) continue;
        const uses = wiring.targets(each.graph, each.node.id, 0);
        const avoids = uses.length && uses.every((use) => /^negative/i.test(name(use)));
        const texts = avoids ? [] : written(wiring, each, new Set());
        if (texts.length) return texts;
    }
    return [];
}

/** @param {Place} place @returns {string} */
const name = ({ node, slot }) => node.inputs[slot]?.name ?? "";

/**
 * The prompt that a Concept Encoder's concepts are captured with: the text linked to its prompt
 * input, else that of the conditioning of what its concepts go to, else the first text that its
 * text encoder reads. Empty if there is none.
 * @param {Graph[]} graphs the workflow and its subgraphs
 * @param {string} graphId @param {number | string} nodeId the Concept Encoder
 * @returns {string}
 */
export function findPrompt(graphs, graphId, nodeId) {
    const wiring = new Wiring(graphs);
    const graph = graphs.find((each) => each.id === graphId);
    const node = graph?.nodes.find((each) => each.id === nodeId);
    if (!graph || !node) return "";
    const place = { graph, node, slot: 0 };
    const given = wiring.source(graph, node, node.inputs.findIndex((each) => each.name === "prompt"));
    let texts = given ? written(wiring, given, new Set()) : [];
    for (const each of texts.length ? [] : wiring.targets(graph, node.id, 0)) {
        texts = around(wiring, each, new Set([node]));
        if (texts.length) break;
    }
    if (!texts.length) texts = sameClip(wiring, place);
    return [...new Set(texts)].join("\n");
}
