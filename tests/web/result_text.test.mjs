import { describe, expect, test } from "vitest";
import { heights, linesOf, textOf } from "../../web/result/text.mjs";

describe("the text that a run says", () => {
    test("is what the node sent", () => {
        expect(textOf({ text: ["house: present\nPASSED"] })).toBe("house: present\nPASSED");
    });
    test("is the texts of all runs of a list, below each other", () => {
        expect(textOf({ text: ["one", "two"] })).toBe("one\ntwo");
    });
    test("is taken as it is where the editor has joined it", () => {
        expect(textOf({ text: "one" })).toBe("one");
    });
    test("can be empty, which is not the same as none", () => {
        expect(textOf({ text: [""] })).toBe("");
        expect(textOf({ images: [] })).toBeUndefined();
        expect(textOf(null)).toBeUndefined();
        expect(textOf(undefined)).toBeUndefined();
    });
});

describe("lines on a node", () => {
    test("are those of the text, empty ones too", () => {
        expect(linesOf("a\n\nb", 400)).toBe(3);
    });
    test("are more where a line is wrapped", () => {
        const line = "x".repeat(100);
        expect(linesOf(line, 1000)).toBe(1);
        expect(linesOf(line, 400)).toBe(2);
        expect(linesOf(line, 240)).toBeGreaterThan(3);
    });
    test("are more of wide letters", () => {
        expect(linesOf("岩".repeat(40), 400)).toBe(linesOf("x".repeat(80), 400));
    });
    test("are some on any width", () => {
        expect(linesOf("abc", 0)).toBe(3);
    });
});

describe("heights", () => {
    test("a short text is as high as it is, whatever room is left", () => {
        const one = heights("a", 400);
        const two = heights("a\nb", 400);
        expect(one.most).toBe(one.least);
        expect(two.least - one.least).toBe(17);
    });
    test("a long one is scrolled, and takes the room that is left", () => {
        const long = heights("a\n".repeat(40), 400);
        expect(long.least).toBe(heights("a\n".repeat(5) + "a", 400).least);
        expect(long.most).toBe(Infinity);
    });
});
