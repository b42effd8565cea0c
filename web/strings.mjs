/** The viewer's texts. Every language has every key, with the same {placeholders}. */

/** @typedef {(key: string, values?: Record<string, string | number>) => string} Words */

/** @type {Record<string, Record<string, string>>} */
export const strings = {
    en: {
        viewer: "Concept heatmaps",
        empty: "Queue the workflow to see where each concept is.",
        loading: "Loading maps…",
        missing: "The server no longer has this run's files. Queue the workflow again.",
        failed: "The maps could not be shown: {reason}",
        heatmap: "Heatmap",
        segments: "Segments",
        heatmapHint: "The map of the concept that you choose; of several, each in its own colour",
        segmentsHint: "Every place in the colour of its strongest concept",
        compareOff: "No comparison",
        comparePicture: "Slide between the plain picture and the maps",
        compareRuns: "Slide between this run and the other one",
        keep: "Keep this run to compare the next one with it",
        drop: "Let go of the kept run",
        kept: "Kept. Change something and queue again, then compare.",
        slider: "Where the comparison is split",
        controls: "Layers, steps and looks",
        more: "Copy, save, download",
        copy: "Copy as PNG",
        save: "Save as PNG",
        open: "Open in a new tab",
        download: "Download the maps (safetensors)",
        copied: "Copied.",
        copyFailed: "The browser did not allow copying. Save the picture instead.",
        useAsMask: "Use as mask",
        useAsMaskHint: "The next run puts out this concept's mask, as you see it",
        maskSet: "{concept} is the node's mask from the next run on.",
        opacity: "Opacity",
        threshold: "Threshold",
        thresholdHint: "Leave out places where the concept's share is smaller",
        colormap: "Colours",
        scale: "Scale",
        none: "as it is",
        shared: "one for all",
        perConcept: "each its own",
        scaleHint: "What the darkest and the brightest colour stand for, in this picture",
        smoothing: "Smoothing",
        tokens: "show tokens",
        temperature: "Temperature",
        layers: "Layers",
        steps: "Steps",
        first: "{name}, from",
        last: "{name}, to",
        reset: "As the node has it",
        background: "background",
        account: "{concept}: {share} % of the picture, {place}",
        segmentAccount: "{concept}: strongest on {share} %",
        at: "Here {concept} is strongest, with {share} %",
        pin: "{concept}: {share} %. Enter keeps its map",
        frame: "Frame {number} of {count}",
        item: "Picture {number} of {count}",
        play: "Play",
        pause: "Pause",
        speed: "Frames per second",
        everywhere: "all over",
        "upper left": "upper left",
        "upper centre": "top",
        "upper right": "upper right",
        "middle left": "left",
        "middle centre": "in the middle",
        "middle right": "right",
        "lower left": "lower left",
        "lower centre": "bottom",
        "lower right": "lower right",
    },
};

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
