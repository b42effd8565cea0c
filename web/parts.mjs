/** The pack's parts in the editor: each is told of its nodes, and of what a run says for them. */
import { executionIds, lastSaid } from "./history.mjs";
import * as host from "./host.mjs";

const NAME = "concept_attention";
const OURS = "ConceptAttention"; // what the types of all our nodes begin with

/**
 * A part of the pack's interface.
 * @typedef {object} Part
 * @property {string} [node] the node type it belongs to; all of the pack's if there is none
 * @property {(node: any) => void} [created] called for every new or loaded node of that type
 * @property {(node: any, output: any) => void} [output] called with what a run (or a tab switch or
 *   a reload) says the node showed
 * @property {(node: any) => void} [failed] called when a run ended with an error of the node
 * @property {object[]} [settings] entries of the settings page
 * @property {() => void} [setup] called once, when the editor is up
 */

/**
 * Register the pack's parts as one extension.
 * @param {Part[]} parts
 */
export function register(parts) {
    host.extend({
        name: NAME,
        settings: parts.flatMap((part) => part.settings ?? []),
        setup() {
            for (const part of parts) part.setup?.();
            host.failing((id) => {
                const ran = (/** @type {any} */ node) => executionIds(host.root(), node).includes(id);
                for (const node of host.nodes().filter(ran)) {
                    for (const part of parts) if (belongs(node, part)) part.failed?.(node);
                }
            });
        },
        nodeCreated(/** @type {any} */ node) {
            for (const part of parts) {
                if (!belongs(node, part)) continue;
                part.created?.(node);
                if (part.output) follow(node, part.output);
            }
        },
        /** A tab switch, or a run that is loaded from the queue: outputs by locator. */
        onNodeOutputsUpdated(/** @type {Record<string, any>} */ outputs) {
            for (const node of host.nodes()) {
                const output = outputs[host.locator(node)];
                if (!output) continue;
                told.add(node);
                for (const part of parts) if (belongs(node, part)) part.output?.(node, output);
            }
        },
    });
}

/** @param {any} node @param {Part} part */
function belongs(node, part) {
    const type = String(node.constructor.comfyClass);
    return part.node ? part.node === type : type.startsWith(OURS);
}

/** Nodes that show what a run said. @type {WeakSet<object>} */
const told = new WeakSet();

/**
 * Show what every run says for a node, and what one said before the workflow was opened.
 * @param {any} node @param {(node: any, output: any) => void} show
 */
function follow(node, show) {
    const before = node.onExecuted;
    node.onExecuted = function (/** @type {any} */ output) {
        before?.apply(this, arguments);
        history = undefined; // it does not know of this run
        told.add(node);
        show(node, output);
    };
    if (host.isOpening()) void recall(node, show);
}

/**
 * After an undo or a reload of the page: what the editor or the server still knows of the last run.
 * @param {any} node @param {(node: any, output: any) => void} show
 */
async function recall(node, show) {
    await host.loaded();
    if (told.has(node) || !node.graph) return;
    const said = host.keptOutput(node) ?? (await lastOutput(node));
    if (said && !told.has(node)) show(node, said);
}

const RECENT = 32; // runs that are looked through
const FRESH = 2000; // milliseconds for which one request serves all nodes of a workflow
/** @type {{runs: Promise<any>, time: number} | undefined} */
let history;

/**
 * What the last run of the open workflow, of those that the server remembers, said for a node.
 * @param {any} node
 */
async function lastOutput(node) {
    const runs = await recentRuns();
    return lastSaid(runs, host.root()?.id, executionIds(host.root(), node));
}

function recentRuns() {
    if (!history || performance.now() - history.time > FRESH) {
        const runs = host.request(`/history?max_items=${RECENT}`).then((answer) => answer.json());
        history = { runs, time: performance.now() };
    }
    return history.runs;
}
