/** The texts of the Concept Encoder's row. */
import { expect, test } from "vitest";
import { strings, t } from "../../web/encoder/strings.mjs";

test("values are put in, and an unknown language is English", () => {
    expect(t("en", "add", { concept: "sky" })).toBe("Add sky to the concepts");
    expect(t("xx-YY", "all")).toBe(strings.en.all);
});

test("every language has the keys and placeholders of English", () => {
    const holes = (/** @type {string} */ text) => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const texts of Object.values(strings)) {
        expect(Object.keys(texts).sort()).toEqual(Object.keys(strings.en).sort());
        for (const [key, text] of Object.entries(texts)) {
            expect(holes(text)).toEqual(holes(strings.en[key]));
        }
    }
});
