/** Finding the prompt: small workflows in plain values. */
import { expect, test } from "vitest";
import { findPrompt } from "../../web/encoder/graph.mjs";

/** @typedef {import("../../web/encoder/graph.mjs").Graph} Graph */

/** Inputs and outputs of the node types that are used here, as "name:TYPE". */
const TYPES = /** @type {Record<string, [string, string]>} */ ({
    ConceptAttentionEncode: ["clip:CLIP prompt:STRING", "CONCEPTS"],
    ConceptAttentionSampler: [
        "model:MODEL positive:CONDITIONING negative:CONDITIONING concepts:CONCEPTS",
        "LATENT CAPTURE",
    ],
    ConceptAttentionSamplerCustom: ["guider:GUIDER concepts:CONCEPTS", "LATENT CAPTURE"],
    ConceptAttentionAttach: ["model:MODEL concepts:CONCEPTS", "MODEL HANDLE"],
    KSampler: ["model:MODEL positive:CONDITIONING negative:CONDITIONING", "LATENT"],
    BasicGuider: ["model:MODEL conditioning:CONDITIONING", "GUIDER"],
    FluxGuidance: ["conditioning:CONDITIONING", "CONDITIONING"],
    ControlNetApplyAdvanced: [
        "positive:CONDITIONING negative:CONDITIONING",
        "CONDITIONING CONDITIONING",
    ],
    ConditioningCombine: ["conditioning_1:CONDITIONING conditioning_2:CONDITIONING", "CONDITIONING"],
    CLIPTextEncode: ["clip:CLIP text:STRING", "CONDITIONING"],
    CLIPTextEncodeFlux: ["clip:CLIP clip_l:STRING t5xxl:STRING", "CONDITIONING"],
    Text: ["value:STRING", "STRING"],
    Concat: ["string_a:STRING string_b:STRING delimiter:STRING", "STRING"],
    Caption: ["image:IMAGE", "STRING"],
    CLIPLoader: ["", "CLIP"],
    LoraLoader: ["model:MODEL clip:CLIP", "MODEL CLIP"],
    Reroute: [":*", "*"],
});

/**
 * A graph of nodes `[id, type, texts, more]` and links `"from.slot>to.slot"`.
 * @param {[number, string, Record<string, string>?, object?][]} nodes
 * @param {string} links separated by spaces; "in" and "out" are a subgraph's own ends
 * @param {string} [id] @returns {Graph}
 */
function graph(nodes, links, id = "root") {
    const ends = /** @type {Record<string, number>} */ ({ in: -10, out: -20 });
    /** @type {Graph} */
    const made = { id, nodes: [], links: [] };
    for (const [node, type, texts = {}, more = {}] of nodes) {
        const [inputs, outputs] = TYPES[type] ?? ["", ""];
        made.nodes.push({
            id: node,
            type,
            inputs: inputs.split(" ").filter(Boolean).map((each) => {
                const [name, kind] = each.split(":");
                return { name, type: kind, link: null };
            }),
            outputs: outputs.split(" ").filter(Boolean).map((each) => ({ type: each })),
            texts: Object.entries(texts).map(([name, value]) => ({ name, value })),
            ...more,
        });
    }
    links.split(" ").filter(Boolean).forEach((each, index) => {
        const [from, fromSlot, to, toSlot] = each.split(/[.>]/).map((part) => ends[part] ?? Number(part));
        made.links.push({ id: index + 1, from, fromSlot, to, toSlot });
        const target = made.nodes.find((node) => node.id === to);
        if (target) target.inputs[toSlot].link = index + 1;
    });
    return made;
}

/** @param {Graph} made @param {Graph[]} others */
const find = (made, ...others) => findPrompt([made, ...others], made.id, 1);

/** @type {[number, string][]} */
const ENDS = [[1, "ConceptAttentionEncode"], [2, "ConceptAttentionSampler"]];
/** @type {[number, string, Record<string, string>]} */
const GOOD = [8, "CLIPTextEncode", { text: "a dragon" }];
/** @type {[number, string, Record<string, string>]} */
const BAD = [9, "CLIPTextEncode", { text: "ugly" }];

test("the sampler's positive text, not its negative one", () => {
    expect(find(graph([...ENDS, BAD, GOOD], "1.0>2.3 9.0>2.2 8.0>2.1"))).toBe("a dragon");
});

test("through FluxGuidance, a reroute, a ControlNet and a bypassed node", () => {
    const made = graph(
        [
            ...ENDS, GOOD, BAD, [3, "FluxGuidance"], [4, "Reroute"], [5, "ControlNetApplyAdvanced"],
            [6, "FluxGuidance", {}, { bypassed: true }], [7, "Reroute"],
        ],
        "1.0>7.0 7.0>2.3 8.0>6.0 6.0>3.0 3.0>4.0 4.0>5.0 9.0>5.1 5.0>2.1 5.1>2.2",
    );
    expect(find(made)).toBe("a dragon");
});

test("through a guider to the custom sampler", () => {
    const made = graph(
        [[1, "ConceptAttentionEncode"], [2, "ConceptAttentionSamplerCustom"], GOOD, [3, "BasicGuider"]],
        "1.0>2.1 3.0>2.0 8.0>3.1",
    );
    expect(find(made)).toBe("a dragon");
});

test("behind Attach Capture, at the sampler that its model goes to", () => {
    const made = graph(
        [[1, "ConceptAttentionEncode"], [2, "ConceptAttentionAttach"], [3, "KSampler"], GOOD, BAD],
        "1.0>2.1 2.0>3.0 8.0>3.1 9.0>3.2",
    );
    expect(find(made)).toBe("a dragon");
});

test("several prompts of one picture, and the two texts of one encoder, each once", () => {
    const combined = graph(
        [...ENDS, GOOD, [9, "CLIPTextEncode", { text: "a rock" }], [3, "ConditioningCombine"]],
        "1.0>2.3 8.0>3.0 9.0>3.1 3.0>2.1",
    );
    expect(find(combined)).toBe("a dragon\na rock");
    const flux = { clip_l: "a dragon", t5xxl: "a dragon" };
    expect(find(graph([...ENDS, [8, "CLIPTextEncodeFlux", flux]], "1.0>2.3 8.0>2.1"))).toBe("a dragon");
});

test("a text that is written in another node, and joined from two", () => {
    const made = graph(
        [
            ...ENDS, [8, "CLIPTextEncode", { text: "not used" }], [3, "Text", { value: "a dragon" }],
            [4, "Concat", { string_a: "", string_b: "on a rock", delimiter: "with" }],
        ],
        "1.0>2.3 8.0>2.1 3.0>4.0 4.0>8.1",
    );
    expect(find(made)).toBe("a dragon\non a rock");
});

test("a text that only a run can know is not guessed", () => {
    const made = graph(
        [...ENDS, [8, "CLIPTextEncode", { text: "not used" }], [3, "Caption"]],
        "1.0>2.3 8.0>2.1 3.0>8.1",
    );
    expect(find(made)).toBe("");
});

test("the text linked to the encoder's own prompt comes first", () => {
    const made = graph([...ENDS, GOOD, [3, "Text", { value: "a fox" }]], "1.0>2.3 8.0>2.1 3.0>1.1");
    expect(find(made)).toBe("a fox");
});

test("without a sampler: the text that the same text encoder reads, but for what to avoid", () => {
    const made = graph(
        [
            [1, "ConceptAttentionEncode"], [2, "CLIPLoader"], [3, "KSampler"], BAD, GOOD,
            [7, "CLIPLoader"], [6, "CLIPTextEncode", { text: "of another model" }],
        ],
        "2.0>9.0 9.0>3.2 7.0>6.0 2.0>8.0 2.0>1.0",
    );
    expect(find(made)).toBe("a dragon");
});

test("no prompt, no text; a node that is not there, no text", () => {
    expect(find(graph(ENDS, "1.0>2.3"))).toBe("");
    expect(findPrompt([graph(ENDS, "1.0>2.3")], "elsewhere", 1)).toBe("");
    expect(findPrompt([graph(ENDS, "1.0>2.3")], "root", 99)).toBe("");
});

test("links in a circle end", () => {
    const made = graph([...ENDS, [3, "FluxGuidance"], [4, "Reroute"], [5, "Reroute"]],
        "1.0>2.3 3.0>3.0 4.0>5.0 5.0>4.0 4.0>2.1");
    expect(find(made)).toBe("");
});

test("from inside a subgraph out to the prompt", () => {
    const inner = graph(ENDS, "1.0>2.3 in.0>2.1", "inner");
    const outer = graph(
        [GOOD, [5, "inner", {}, { subgraph: "inner", inputs: [{ name: "positive", type: "CONDITIONING", link: 1 }] }]],
        "8.0>5.0",
    );
    expect(findPrompt([outer, inner], "inner", 1)).toBe("a dragon");
});

test("into a subgraph that holds the sampler, and one that holds the prompt", () => {
    const sampling = graph([[2, "ConceptAttentionSampler"]], "in.0>2.3 in.1>2.1 2.0>out.0", "sampling");
    const text = graph([GOOD], "8.0>out.0", "text");
    const inputs = [{ name: "a", type: "*", link: 1 }, { name: "b", type: "*", link: 2 }];
    const outer = graph(
        [
            [1, "ConceptAttentionEncode"],
            [5, "sampling", {}, { subgraph: "sampling", inputs }],
            [6, "text", {}, { subgraph: "text", outputs: [{ type: "CONDITIONING" }] }],
        ],
        "1.0>5.0 6.0>5.1",
    );
    expect(find(outer, sampling, text)).toBe("a dragon");
});
