import { describe, expect, test } from "vitest";
import { account } from "../../web/viewer/words.mjs";
import { strings } from "../../web/strings.mjs";

const WHOLE = /** @type {[number, number]} */ ([1, 1]);
const GRID = { rows: 3, columns: 6, covered: WHOLE };

/** A map with these places at 1. @param {[number, number][]} places row and column */
function map(...places) {
    const made = new Float32Array(GRID.rows * GRID.columns);
    for (const [row, column] of places) made[row * GRID.columns + column] = 1;
    return made;
}

test("the share is the mean over the picture", () => {
    const half = Float32Array.from({ length: 18 }, (_, i) => (i % 6 < 3 ? 0.5 : 0));
    expect(account(half, 0, GRID).share).toBeCloseTo(0.25, 12);
});

describe("the place is one of nine", () => {
    /** @type {[[number, number], string][]} */
    const places = [
        [[0, 0], "upper left"],
        [[0, 2], "upper centre"],
        [[0, 5], "upper right"],
        [[1, 1], "middle left"],
        [[1, 3], "middle centre"],
        [[1, 4], "middle right"],
        [[2, 0], "lower left"],
        [[2, 3], "lower centre"],
        [[2, 5], "lower right"],
    ];
    test.each(places)("%s: %s", (place, words) => {
        expect(account(map(place), 0, GRID).place).toBe(words);
    });

    test.each([...places.map((each) => each[1]), "everywhere"])("%s has words", (words) => {
        expect(strings.en[words]).toBeTruthy();
    });
});

test("a map that is the same everywhere is everywhere, and so is one in opposite corners", () => {
    expect(account(new Float32Array(18).fill(0.1), 0, GRID).place).toBe("everywhere");
    expect(account(map([0, 0], [2, 5]), 0, GRID).place).toBe("everywhere");
});

test("a map of nothing has no share", () => {
    expect(account(new Float32Array(18), 0, GRID)).toEqual({ share: 0, place: "everywhere" });
});

test("each map is told by itself", () => {
    const two = new Float32Array(36);
    two.set(map([0, 0]), 0);
    two.set(map([2, 5], [2, 4]), 18);
    expect(account(two, 0, GRID).place).toBe("upper left");
    expect(account(two, 1, GRID).place).toBe("lower right");
    expect(account(two, 1, GRID).share).toBeCloseTo(2 / 18, 12);
});

test("what lies beyond the picture does not count", () => {
    const padded = { rows: 2, columns: 2, covered: /** @type {[number, number]} */ ([2, 1]) };
    const found = account(Float32Array.of(1, 0, 1, 1), 0, padded); // the lower row is padding
    expect(found.share).toBeCloseTo(0.5, 12);
    expect(found.place).toBe("middle left");
});

test("a row that is half beyond the picture counts half", () => {
    const padded = { rows: 2, columns: 1, covered: /** @type {[number, number]} */ ([4 / 3, 1]) };
    expect(account(Float32Array.of(0, 1), 0, padded).share).toBeCloseTo(1 / 3, 12);
});
