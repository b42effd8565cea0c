/** The viewer's texts. Every language has every key, with the same {placeholders}. */
import * as en from "./texts/en.mjs";
import * as es from "./texts/es.mjs";
import * as fr from "./texts/fr.mjs";
import * as ja from "./texts/ja.mjs";
import * as ko from "./texts/ko.mjs";
import * as ru from "./texts/ru.mjs";
import * as zh from "./texts/zh.mjs";

/** @typedef {(key: string, values?: Record<string, string | number>) => string} Words */

/** @type {Record<string, {viewer: Record<string, string>, encoder: Record<string, string>}>} */
const texts = { en, es, fr, ja, ko, ru, zh };

/** @type {Record<string, Record<string, string>>} */
export const strings = of("viewer");

/**
 * One part's texts in every language.
 * @param {"viewer" | "encoder"} part
 * @returns {Record<string, Record<string, string>>}
 */
export function of(part) {
    return Object.fromEntries(Object.entries(texts).map(([name, own]) => [name, own[part]]));
}

/**
 * The texts in a language; English where there is none.
 * @param {string} locale such as "en" or "zh-TW"
 * @returns {Words}
 */
export function translator(locale) {
    const own = strings[locale] ?? strings[locale.split("-")[0]] ?? strings.en;
    return (key, values = {}) =>
        (own[key] ?? strings.en[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) =>
            String(values[name] ?? whole),
        );
}
