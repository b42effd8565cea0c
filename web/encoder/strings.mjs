/** The texts of the Concept Encoder's row. Every language has every key and its {placeholders}. */
import { of } from "../strings.mjs";

/** @type {Record<string, Record<string, string>>} */
export const strings = of("encoder");

/**
 * A text in a language; English where there is none.
 * @param {string} locale such as "en" or "zh-TW"
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(locale, key, values = {}) {
    const own = strings[locale] ?? strings[locale.split("-")[0]] ?? strings.en;
    return (own[key] ?? strings.en[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) =>
        String(values[name] ?? whole),
    );
}
