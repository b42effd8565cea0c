import { expect, test } from "vitest";
import { inputs } from "../../web/viewer/mask.mjs";
import { Run } from "../../web/viewer/run.mjs";
import { text } from "../../web/viewer/selection.mjs";
import { START } from "../../web/viewer/state.mjs";
import { json } from "./data.mjs";

const TEXTS = json("texts.json");

/** @param {object} [change] */
function run(change) {
    return new Run(
        {
            kind: "scores",
            batch: 1,
            spans: [1],
            grid: [2, 3],
            covered: [1, 1],
            labels: ["dragon", "red, white", "background"],
            background: [false, false, true],
            layers: [[15], [16], [17], [18]],
            steps: [0, 2, 4],
            auto: { layers: [2, 3], steps: [0, 1, 2], temperature: 1000, order: "scores first" },
            chosen: {
                layers: [2, 3],
                steps: [0, 1, 2],
                temperature: 1000,
                smoothing: 0,
                threshold: 0.25,
            },
            ...change,
        },
        () => "",
    );
}

test("what the node has said itself is its defaults", () => {
    expect(inputs(run(), START, ["dragon"])).toEqual({
        concept: "dragon",
        threshold: 0.25,
        layers: "auto",
        steps: "auto",
        temperature: 0,
        smoothing: 0,
        segments: false,
    });
});

test("what a person changed is written as the node takes it", () => {
    const state = {
        ...START,
        threshold: 0,
        layers: [0, 1, 3],
        steps: [1, 2],
        temperature: 500,
        smoothing: 1.5,
    };
    expect(inputs(run(), state, ["red, white", "dragon"])).toEqual({
        concept: '"red, white", dragon',
        threshold: 0,
        layers: "15-16,18",
        steps: "2,4",
        temperature: 500,
        smoothing: 1.5,
        segments: false,
    });
});

test("maps that are decoded already have no layers to choose", () => {
    const found = inputs(run({ kind: "maps" }), { ...START, threshold: 0.5 }, ["dragon"]);
    expect(found).toEqual({ concept: "dragon", threshold: 0.5, segments: false });
});

test("segments that are seen are the segments that the node puts out", () => {
    const state = { ...START, mode: /** @type {const} */ ("segments") };
    expect(inputs(run(), state, ["dragon"])).toMatchObject({ concept: "dragon", segments: true });
});

test.each(/** @type {any[]} */ (TEXTS.concepts))("the node reads $text as it is meant", (each) => {
    expect(inputs(run(), START, each.labels).concept).toBe(each.text);
});

test.each(/** @type {any[]} */ (TEXTS.selections))("$positions of $entries is $text", (each) => {
    expect(text(each.positions, each.entries, [])).toBe(each.text);
});
