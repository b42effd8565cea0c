import { describe, expect, test } from "vitest";
import { Sampler } from "../../web/viewer/resample.mjs";
import { Run } from "../../web/viewer/run.mjs";
import { Side } from "../../web/viewer/side.mjs";
import { json } from "./data.mjs";

/** @param {boolean[]} background @param {number[]} maps of 2 rows and 3 columns
 * @param {[number, number]} size height and width of what is painted */
function side(background, maps, size = [2, 3]) {
    const bundle = {
        spans: [1],
        batch: 1,
        grid: [2, 3],
        covered: [1, 1],
        labels: background.map((_, i) => `concept ${i}`),
        background,
        chosen: {},
    };
    const made = new Side(new Run(bundle, () => ""));
    made.set(/** @type {any} */ ({}), Float32Array.from(maps));
    const window = { width: size[1], height: size[0], u0: 0, v0: 0, u1: 1, v1: 1 };
    made.sampler = new Sampler(made.run.grid, window);
    return made;
}

describe("who wins", () => {
    const cases = /** @type {any[]} */ (json("winners.json"));

    test.each(cases)("is whom core.segments says: $background at $size", (each) => {
        const found = side(each.background, each.maps, each.size).winners();
        expect([...found].map((i) => (each.background[i] ? -1 : i))).toEqual(each.expected);
    });

    test.each(cases)("is the same under the pointer: $background at $size", (each) => {
        const made = side(each.background, each.maps, each.size);
        const [height, width] = each.size;
        const under = each.expected.map((/** @type {number} */ _, /** @type {number} */ i) => {
            const [x, y] = [(i % width) + 0.5, Math.floor(i / width) + 0.5];
            return /** @type {number} */ (made.winner(x / width, y / height));
        });
        const found = under.map((/** @type {number} */ i) => (each.background[i] ? -1 : i));
        expect(found).toEqual(each.expected);
    });

    test("of several backgrounds is the one with most, and nobody beside the picture", () => {
        const made = side([false, true, true], [...new Array(6).fill(0.2), 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.5, 0.1, 0.5, 0.5, 0.5, 0.5]);
        expect([made.winner(0.1, 0.1), made.winner(0.5, 0.1), made.winner(1.1, 0.5)]).toEqual([2, 1, null]);
    });

    test("is nobody where a concept is alone: it would win everywhere", () => {
        expect([...side([false], [1, 1, 0, 0, 1, 1]).winners()]).toEqual([1, 1, 1, 1, 1, 1]);
    });

    test("can be any of more concepts than a byte counts", () => {
        const background = new Array(300).fill(false);
        const maps = new Float32Array(300 * 6);
        maps.fill(1, 280 * 6, 281 * 6);
        expect([...side(background, [...maps]).winners()]).toEqual(new Array(6).fill(280));
    });
});

test("segments: what nobody wins shows the picture", () => {
    const made = side([false], [1, 1, 1, 1, 1, 1]);
    const grey = new Uint8ClampedArray(24).fill(80);
    made.base = /** @type {any} */ ({ width: 3, height: 2, rgba: grey, grey: grey.slice(0, 6) });
    const target = new Uint8ClampedArray(24);
    const hues = new Map([["concept 0", /** @type {[number, number, number]} */ ([200, 0, 0])]]);
    const state = { mode: "segments", opacity: 0.5 };
    made.paint(target, /** @type {any} */ ({ state, shown: [], hues }), {});
    expect([...target].filter((_, i) => i % 4 !== 3)).toEqual(new Array(18).fill(80));
});
