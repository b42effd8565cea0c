import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { of, strings, translator } from "../../web/strings.mjs";

const LANGUAGES = Object.keys(strings);
/** @type {import("../../web/strings.mjs").Part[]} */
const PARTS = ["viewer", "encoder", "result"];
/** @param {string} text */
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe.each(PARTS)("the %s", (part) => {
    const all = of(part);

    test.each(LANGUAGES)("has every key in %s, in the order of English", (language) => {
        expect(Object.keys(all[language])).toEqual(Object.keys(all.en));
    });

    test.each(Object.keys(all.en))("has English's placeholders in %s", (key) => {
        for (const own of Object.values(all)) {
            expect(own[key].trim()).toBeTruthy();
            expect(placeholders(own[key])).toEqual(placeholders(all.en[key]));
        }
    });
});

test("every language that the pack has node names in has the texts", () => {
    const folder = new URL("../../locales/", import.meta.url);
    expect([...LANGUAGES].sort()).toEqual(readdirSync(folder).sort());
});

test.each(PARTS)("sentences of the %s are translated", (part) => {
    const { en, ...others } = of(part);
    const sentences = Object.keys(en).filter((key) => en[key].split(" ").length > 4);
    for (const own of Object.values(others)) {
        expect(sentences.filter((key) => own[key] === en[key])).toEqual([]);
    }
});

test("placeholders are filled in", () => {
    const words = translator("en");
    const values = { concept: "dragon", share: 23, place: words("upper left") };
    expect(words("account", values)).toBe("dragon: 23 % of the picture, upper left");
});

test("a value is not read as a pattern or a placeholder", () => {
    const values = { concept: "$& {share}", share: 1, place: "x" };
    expect(translator("en")("account", values)).toBe("$& {share}: 1 % of the picture, x");
});

test("a part has texts of its own", () => {
    expect(translator("fr", "result")("copied")).toBe("Copié.");
    expect(translator("tlh", "result")("result")).toBe("Result");
});

test("a placeholder without a value stays visible", () => {
    expect(translator("en")("failed")).toContain("{reason}");
});

test("an unknown language is English, and a country's is its language's", () => {
    for (const locale of ["en", "en-GB", "tlh", "tlh-Latn"]) {
        expect(translator(locale)("play")).toBe("Play");
    }
});

test("an unknown key is shown as it is", () => {
    expect(translator("en")("no such key")).toBe("no such key");
});
