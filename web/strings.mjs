/** The texts of our pages. Every language has every key, with the same {placeholders}. */
import * as en from "./texts/en.mjs";
import * as es from "./texts/es.mjs";
import * as fr from "./texts/fr.mjs";
import * as ja from "./texts/ja.mjs";
import * as ko from "./texts/ko.mjs";
import * as ru from "./texts/ru.mjs";
import * as zh from "./texts/zh.mjs";

/** @typedef {(key: string, values?: Record<string, string | number>) => string} Words */

/** @typedef {"viewer" | "encoder" | "result"} Part */

/** @type {Record<string, Record<Part, Record<string, string>>>} */
const texts = { en, es, fr, ja, ko, ru, zh };

/** @type {Record<string, Record<string, string>>} */
export const strings = of("viewer");

/**
 * One part's texts in every language.
 * @param {Part} part
 * @returns {Record<string, Record<string, string>>}
 */
export function of(part) {
    return Object.fromEntries(Object.entries(texts).map(([name, own]) => [name, own[part]]));
}

/**
 * The texts of a part in a language; English where there is none.
 * @param {string} locale such as "en" or "zh-TW" @param {Part} [part]
 * @returns {Words}
 */
export function translator(locale, part = "viewer") {
    const all = of(part);
    const own = all[locale] ?? all[locale.split("-")[0]] ?? all.en;
    return (key, values = {}) =>
        (own[key] ?? all.en[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) =>
            String(values[name] ?? whole),
        );
}
