import { expect, test } from "vitest";
import { toFloats } from "../../web/viewer/half.mjs";
import { halves } from "./data.mjs";

test("known halves are the numbers that IEEE 754 says", () => {
    const bits = [0x3c00, 0xc000, 0x3555, 0x7bff, 0xfbff, 0x0400, 0x0001, 0x83ff];
    expect([...toFloats(Uint16Array.from(bits))]).toEqual([
        1,
        -2,
        0.333251953125,
        65504,
        -65504,
        2 ** -14,
        2 ** -24,
        -1023 * 2 ** -24,
    ]);
});

test("zeros keep their sign, and there are infinities and not-a-number", () => {
    const found = toFloats(Uint16Array.from([0, 0x8000, 0x7c00, 0xfc00, 0x7e00]));
    expect([...found]).toEqual([0, -0, Infinity, -Infinity, NaN]);
});

test("every finite half is told apart, and halves of one sign go up with their bits", () => {
    const found = toFloats(Uint16Array.from({ length: 0x7c00 }, (_, i) => i));
    expect(found.every((value, i) => i === 0 || value > found[i - 1])).toBe(true);
});

test("what the tests write is what is read", () => {
    expect([...toFloats(new Uint16Array(halves([0, -0.5, 3, -12, 0.25])))]).toEqual([0, -0.5, 3, -12, 0.25]);
});
