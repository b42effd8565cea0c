/** The texts of the Concept Encoder's row. Every language has every key and its {placeholders}. */

/** @type {Record<string, Record<string, string>>} */
export const strings = {
    en: {
        fromPrompt: "From the prompt",
        fromPromptHint: "Show the nouns of the prompt, to choose concepts from",
        hide: "Hide the prompt's nouns",
        all: "Use all",
        allHint: "Make these the concepts, in place of what is there",
        add: "Add {concept} to the concepts",
        remove: "Take {concept} out of the concepts",
        noPrompt:
            "No prompt was found. Connect the concepts to a sampler whose positive input comes " +
            "from a text encode node, or write what to look for into concepts.",
        noNoun: "No noun was found in the prompt. Write what to look for into concepts.",
        failed: "The prompt's nouns could not be found: {reason}",
    },
};

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
