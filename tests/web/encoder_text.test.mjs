/** The concepts' text as the chips change it: the rules of core/concepts.py. */
import { describe, expect, test } from "vitest";
import { add, has, labels, quoted, remove, textOf, toggle } from "../../web/encoder/text.mjs";

describe("labels", () => {
    test.each([
        ["dragon, rock, sky", ["dragon", "rock", "sky"]],
        ["dragon\r\nrock\n\n sky,\n", ["dragon", "rock", "sky"]],
        ['"red, white and blue", sky', ["red, white and blue", "sky"]],
        ["“red, white”, sky", ["red, white", "sky"]],
        ['the "big, red" rock, sky', ['the "big, red" rock', "sky"]],
        ['"5"" nail", hammer', ['5" nail', "hammer"]],
        ["龙，岩石、天空", ["龙", "岩石", "天空"]],
        ["تنين، صخرة", ["تنين", "صخرة"]],
        ["(dragon:1.3), {x|y}", ["(dragon:1.3)", "{x|y}"]],
        ["a,, b", ["a", "b"]],
        ['sky, "red, whi', ["sky", '"red, whi']],
        [" \n", []],
    ])("of %j", (text, found) => {
        expect(labels(text)).toEqual(found);
    });
});

test("a label is found whatever its case, spacing and way of writing accents", () => {
    expect(has("Red  Dragon, sky", "red dragon")).toBe(true);
    expect(has("cafe\u0301", "caf\u00e9")).toBe(true);
    expect(has("STRASSE", "straße")).toBe(true);
    expect(has("red dragon", "dragon")).toBe(false);
});

describe("add", () => {
    test.each([
        ["", "sky", "sky"],
        ["  \n", "sky", "sky"],
        ["dragon", "sky", "dragon, sky"],
        ["dragon, ", "sky", "dragon, sky"],
        ["龙，", "sky", "龙， sky"],
        ["dragon\nrock\n", "sky", "dragon\nrock\nsky"],
        ["dragon, rock\ntree", "sky", "dragon, rock\ntree, sky"],
        ["dragon", "red, white", 'dragon, "red, white"'],
    ])("to %j", (text, label, expected) => {
        expect(add(text, label)).toBe(expected);
        expect(has(expected, label)).toBe(true);
    });
});

describe("remove", () => {
    test.each([
        ["sky", "sky", ""],
        ["dragon, sky", "sky", "dragon"],
        ["sky, dragon", "SKY", "dragon"],
        ["dragon, sky,  rock", "sky", "dragon,  rock"],
        ["dragon, sky, rock,\ntree", "rock", "dragon, sky,\ntree"],
        ["dragon\nsky\nrock", "sky", "dragon\nrock"],
        ['"red, white", sky', "red, white", "sky"],
        ["dragon\n\nsky", "sky", "dragon\n"],
        ["dragon, sky", "rock", "dragon, sky"],
        ['sky, "red, whi', "sky", '"red, whi'],
    ])("from %j", (text, label, expected) => {
        expect(remove(text, label)).toBe(expected);
        expect(has(expected, label)).toBe(false);
    });
});

test("a chip pressed twice leaves the text as it was", () => {
    for (const text of ["dragon, rock", "dragon\nrock", '"a, b", c']) {
        expect(toggle(toggle(text, "sky"), "sky")).toBe(text);
    }
});

test("all labels as one text, quoted where they must be", () => {
    expect(quoted('5" nail')).toBe('"5"" nail"');
    expect(textOf(["sky", "red, white"])).toBe('sky, "red, white"');
    expect(labels(textOf(['5" nail', "a, b"]))).toEqual(['5" nail', "a, b"]);
});
