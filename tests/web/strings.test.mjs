import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { of, strings, translator } from "../../web/strings.mjs";

const LANGUAGES = Object.keys(strings);
/** @param {string} text */
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe.each(LANGUAGES)("%s", (language) => {
    test("has every key, in the order of English", () => {
        expect(Object.keys(strings[language])).toEqual(Object.keys(strings.en));
    });

    test.each(Object.keys(strings.en))("%s has English's placeholders", (key) => {
        expect(strings[language][key].trim()).toBeTruthy();
        expect(placeholders(strings[language][key])).toEqual(placeholders(strings.en[key]));
    });
});

test("every language that the pack has node names in has the texts", () => {
    const folder = new URL("../../locales/", import.meta.url);
    expect([...LANGUAGES].sort()).toEqual(readdirSync(folder).sort());
});

test.each(["viewer", "encoder"])("sentences of the %s are translated", (part) => {
    const { en, ...others } = of(/** @type {"viewer" | "encoder"} */ (part));
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
