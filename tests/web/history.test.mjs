import { describe, expect, test } from "vitest";
import { executionIds, lastSaid } from "../../web/history.mjs";

describe("names under which a node runs", () => {
    const inner = { id: 7 };
    const subgraph = { nodes: [{ id: 3 }, inner] };
    const root = { nodes: [{ id: 1 }, { id: 4, subgraph }, { id: 5, subgraph }] };

    test("its id", () => expect(executionIds(root, root.nodes[0])).toEqual(["1"]));
    test("behind those of every subgraph that it is in", () => {
        expect(executionIds(root, inner)).toEqual(["4:7", "5:7"]);
    });
    test("none of a node that is gone", () => {
        expect(executionIds(root, { id: 1 })).toEqual([]);
        expect(executionIds(undefined, inner)).toEqual([]);
    });
});

describe("what the last run said", () => {
    /** @param {string} id @param {object} outputs */
    const run = (id, outputs) => ({
        prompt: [0, "", {}, { extra_pnginfo: { workflow: { id } } }],
        outputs,
    });
    const runs = {
        first: run("ours", { 1: { text: ["old"] }, 2: { text: ["two"] } }),
        second: run("ours", { 1: { text: ["new"] } }),
        other: run("theirs", { 1: { text: ["theirs"] } }),
        api: { prompt: [0, "", {}, {}], outputs: { 1: { text: ["without a workflow"] } } },
        failed: run("ours", {}),
    };

    test("is the newest of this workflow", () => {
        expect(lastSaid(runs, "ours", ["1"])).toEqual({ text: ["new"] });
    });
    test("is that of a run before, if the last one did not come to the node", () => {
        expect(lastSaid(runs, "ours", ["2"])).toEqual({ text: ["two"] });
    });
    test("is nothing of a node that failed since", () => {
        const messages = [["execution_start", {}], ["execution_error", { node_id: "2" }]];
        const stopped = { ...run("ours", {}), status: { messages } };
        expect(lastSaid({ ...runs, stopped }, "ours", ["2"])).toBeUndefined();
        expect(lastSaid({ ...runs, stopped }, "ours", ["1"])).toEqual({ text: ["new"] });
        expect(lastSaid({ stopped, ...runs }, "ours", ["2"])).toEqual({ text: ["two"] });
    });
    test("is nothing of a node that never ran, or of an unknown workflow", () => {
        expect(lastSaid(runs, "ours", ["3"])).toBeUndefined();
        expect(lastSaid(runs, "ours", [])).toBeUndefined();
        expect(lastSaid(runs, "unknown", ["1"])).toBeUndefined();
        expect(lastSaid({}, "ours", ["1"])).toBeUndefined();
    });
});
