/** The Concept Encoder's row: concepts from the prompt. */
import * as host from "../host.mjs";
import { describe } from "./describe.mjs";
import { findPrompt } from "./graph.mjs";
import { Panel, ROW } from "./panel.mjs";
import { t } from "./strings.mjs";

/** @type {(key: string, values?: Record<string, string>) => string} */
const words = (key, values) => t(host.locale(), key, values);

/** @param {any} node */
function created(node) {
    /** @type {any} */
    let added;
    const panel = new Panel({
        words,
        ask: () => proposals(node),
        text: () => host.widget(node, "concepts")?.value ?? "",
        write: (text) => host.setWidget(node, "concepts", text),
        resize: (height) => added && host.resize(node, added, height),
    });
    added = host.addElement(node, "prompt_nouns", panel.element, ROW);
    host.fix(added, ROW); // room that is left is for the concepts' text
    host.changed(node, "concepts", () => panel.refresh());
    host.configured(node, () => panel.refresh());
}

/** The nouns of the node's prompt; what went wrong is said. @param {any} node */
async function proposals(node) {
    const prompt = findPrompt(describe(host.graphs()), node.graph.id, node.id);
    if (!prompt) return void host.toast("warn", words("noPrompt"));
    const found = await asked(prompt).catch((/** @type {Error} */ error) => {
        host.toast("error", words("failed", { reason: error.message }));
    });
    if (found && !found.length) host.toast("warn", words("noNoun"));
    return found || undefined;
}

/** @param {string} prompt @returns {Promise<import("./panel.mjs").Proposal[]>} */
async function asked(prompt) {
    const response = await host.request("/concept_attention/proposals", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ prompt }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text || response.statusText);
    return JSON.parse(text).proposals;
}

/** @type {import("../parts.mjs").Part} */
export const encoderPart = { node: "ConceptAttentionEncode", created };
