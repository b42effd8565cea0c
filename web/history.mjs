/** What the server remembers of earlier runs. */

/**
 * The names under which a node runs: its id, behind those of the subgraphs that it is in.
 * @param {any} root the open workflow @param {any} node @returns {string[]}
 */
export function executionIds(root, node) {
    /** @type {(graph: any, path: string) => string[]} */
    const within = (graph, path) =>
        (graph?.nodes ?? []).flatMap((/** @type {any} */ each) => [
            ...(each === node ? [`${path}${each.id}`] : []),
            ...(each.subgraph ? within(each.subgraph, `${path}${each.id}:`) : []),
        ]);
    return within(root, "");
}

/**
 * What the last run of a workflow that came to a node said for it.
 * @param {Record<string, any>} runs as /history gives them, the oldest first
 * @param {string} workflow its id @param {string[]} ids the names under which the node runs
 * @returns {any} undefined if there is none, or if the node failed in it
 */
export function lastSaid(runs, workflow, ids) {
    for (const run of Object.values(runs).reverse()) {
        if (run.prompt?.[3]?.extra_pnginfo?.workflow?.id !== workflow) continue;
        const id = ids.find((each) => run.outputs?.[each]);
        if (id) return run.outputs[id];
        if (failed(run, ids)) return undefined;
    }
    return undefined;
}

/** Whether a run ended with an error of a node. @param {any} run @param {string[]} ids */
function failed(run, ids) {
    /** @type {[string, any][]} */
    const messages = run.status?.messages ?? [];
    return messages.some(([kind, said]) => kind === "execution_error" && ids.includes(said.node_id));
}
