import { expect, test } from "vitest";
import { range, runs, text } from "../../web/viewer/selection.mjs";

test("neighbours are joined", () => {
    expect(runs([0, 1, 2, 5])).toEqual([
        [0, 3],
        [5, 6],
    ]);
    expect(runs([4])).toEqual([[4, 5]]);
    expect(runs([])).toEqual([]);
});

test("a range has both its ends", () => {
    expect(range(2, 5)).toEqual([2, 3, 4, 5]);
    expect(range(3, 3)).toEqual([3]);
});

/** @param {number} count @param {number} [first] */
const single = (count, first = 0) => Array.from({ length: count }, (_, i) => [first + i]);

test("the text is what the node takes", () => {
    expect(text([3, 4, 5, 6], single(19), [15, 16])).toBe("3-6");
    expect(text([0, 5, 9], single(19), [15])).toBe("0,5,9");
    expect(text([0, 1, 4], single(19), [15])).toBe("0-1,4");
    expect(text(range(0, 18), single(19), [15])).toBe("all");
    expect(text([15, 16], single(19), [15, 16])).toBe("auto");
});

test("the family's own choice is auto even where it is everything", () => {
    expect(text([0, 1], single(2), [0, 1])).toBe("auto");
});

test("positions are named by the indices that were captured", () => {
    expect(text([1, 2], single(4, 10), [0])).toBe("11-12");
    // An entry that is the mean of layers 1 and 2 stands for both.
    expect(text([0, 1], [[0], [1, 2], [3]], [2])).toBe("0-2");
    expect(text([1], [[0], [1, 2], [3]], [2])).toBe("1-2");
});

test("a selection of entries that are not in order is written in order", () => {
    expect(text([0, 1], [[7], [2], [9]], [2])).toBe("2,7");
});
