import { describe, expect, test } from "vitest";
import { Sampler, valuesAt } from "../../web/viewer/resample.mjs";
import { difference, json } from "./data.mjs";

/** @type {any[]} */
const CASES = json("resize.json");

/** @param {any} each */
function sampler({ grid: [rows, columns], size: [height, width], covered, nearest }) {
    const window = { width, height, u0: 0, v0: 0, u1: 1, v1: 1 };
    return new Sampler({ rows, columns, covered }, window, nearest);
}

test.each(CASES)("as core.resize does it: $grid to $size, tokens: $nearest", (each) => {
    const size = each.size[0] * each.size[1];
    const made = sampler(each);
    const maps = Float32Array.from(each.maps);
    for (const index of [0, 1]) {
        const found = made.field(maps, index, new Float32Array(size));
        const expected = each.expected.slice(index * size, (index + 1) * size);
        expect(difference(found, expected)).toBeLessThan(1e-5);
    }
});

const GRID = { rows: 1, columns: 2, covered: /** @type {[number, number]} */ ([1, 1]) };

test("two tokens over four pixels, by hand", () => {
    const window = { width: 4, height: 1, u0: 0, v0: 0, u1: 1, v1: 1 };
    const found = new Sampler(GRID, window).field(Float32Array.of(0, 1), 0, new Float32Array(4));
    expect([...found]).toEqual([0, 0.25, 0.75, 1]);
});

test("a part of the picture is what the whole has there", () => {
    const maps = Float32Array.of(0, 1);
    const part = { width: 2, height: 1, u0: 0.25, v0: 0, u1: 0.75, v1: 1 };
    expect([...new Sampler(GRID, part).field(maps, 0, new Float32Array(2))]).toEqual([0.25, 0.75]);
});

test("tokens that reach beyond the picture are cut off", () => {
    const window = { width: 2, height: 1, u0: 0, v0: 0, u1: 1, v1: 1 };
    const padded = { ...GRID, covered: /** @type {[number, number]} */ ([1, 2]) };
    const found = new Sampler(padded, window, true).field(
        Float32Array.of(3, 7),
        0,
        new Float32Array(2),
    );
    expect([...found]).toEqual([3, 3]); // the second token lies outside
});

describe("the strongest map", () => {
    test.each(CASES)("is the one with the largest value everywhere: $grid, $nearest", (each) => {
        const [height, width] = each.size;
        const size = height * width;
        const maps = Float32Array.from(each.maps);
        const found = sampler(each).winners(maps, [0, 1], new Uint16Array(size));
        // Where the two are as good as equal, either may win.
        const wrong = found.findIndex((winner, i) => {
            const ahead = each.expected[size + i] - each.expected[i];
            return Math.abs(ahead) > 1e-5 && winner !== (ahead > 0 ? 1 : 0);
        });
        expect(wrong).toBe(-1);
        expect(new Set(found).size).toBe(2);
    });

    test("of two that are equal is the first", () => {
        const window = { width: 2, height: 1, u0: 0, v0: 0, u1: 1, v1: 1 };
        const maps = Float32Array.of(0.5, 0.5, 0.5, 0.75);
        const found = new Sampler(GRID, window).winners(maps, [0, 1], new Uint16Array(2));
        expect([...found]).toEqual([0, 1]);
    });
});

test.each([false, true])("a point's values are what is painted there, tokens: %s", (nearest) => {
    const each = CASES.find((found) => found.nearest === nearest && found.covered[1] > 1);
    const [rows, columns] = each.grid;
    const [height, width] = each.size;
    const grid = { rows, columns, covered: each.covered };
    const maps = Float32Array.from(each.maps);
    for (const [x, y] of [[0, 0], [width - 1, height - 1], [7, 4], [3, 10]]) {
        const found = valuesAt(maps, 2, grid, (x + 0.5) / width, (y + 0.5) / height, nearest);
        const at = y * width + x;
        const expected = [each.expected[at], each.expected[height * width + at]];
        expect(difference(found, expected)).toBeLessThan(1e-5);
    }
});
