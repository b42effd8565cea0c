import { expect, test } from "vitest";
import { smooth } from "../../web/viewer/smooth.mjs";
import { difference } from "./data.mjs";

test("no smoothing gives the very same maps", () => {
    const maps = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(smooth(maps, 2, 3, 0)).toBe(maps);
});

test("a point becomes a gaussian whose weights sum to 1 at the border", () => {
    const near = Math.exp(-0.5);
    const far = Math.exp(-2);
    const found = smooth(Float32Array.of(0, 0, 1), 1, 3, 1);
    const expected = [far / (1 + near + far), near / (1 + 2 * near), 1 / (1 + near + far)];
    expect(difference(found, expected)).toBeLessThan(1e-7);
});

test("rows and columns are both smoothed, each map by itself", () => {
    const near = Math.exp(-0.5 / 0.25);
    const weight = 1 / (1 + near);
    // Two maps of 2 x 2: a corner in the first, nothing in the second.
    const found = smooth(Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0), 2, 2, 0.5);
    const [own, beside] = [weight, near * weight];
    const first = [own * own, own * beside, own * beside, beside * beside];
    expect(difference(found, [...first, 0, 0, 0, 0])).toBeLessThan(1e-7);
});

test("a constant map stays as it is, and the reach ends after three sigma", () => {
    const constant = new Float32Array(5 * 4).fill(0.25);
    expect(difference(smooth(constant, 5, 4, 1.5), constant)).toBeLessThan(1e-7);
    const point = new Float32Array(12);
    point[0] = 1;
    const found = smooth(point, 1, 12, 1.1); // reaches ceil(3.3) = 4 places
    expect(found[4]).toBeGreaterThan(0);
    expect([...found.subarray(5)]).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

test("a sigma whose square is 0 leaves the map as it is", () => {
    expect([...smooth(Float32Array.of(1, 2, 3), 1, 3, 1e-200)]).toEqual([1, 2, 3]);
});
