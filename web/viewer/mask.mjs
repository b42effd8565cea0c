/** From what is looked at to the node's own inputs. */
import { text } from "./selection.mjs";

/**
 * The inputs with which the node puts out the masks that are shown.
 * @param {import("./run.mjs").Run} run @param {import("./state.mjs").State} state
 * @param {string[]} shown
 * @returns {Record<string, string | number | boolean>}
 */
export function inputs(run, state, shown) {
    const { bundle } = run;
    const threshold = state.threshold ?? bundle.chosen.threshold ?? 0;
    /** @type {Record<string, string | number | boolean>} */
    const values = {
        concept: shown.map(quoted).join(", "),
        threshold,
        segments: state.mode === "segments",
    };
    if (!run.decodes) return values;
    const choice = run.choice(state);
    const steps = bundle.steps.map((/** @type {number} */ step) => [step]);
    values.layers = text(choice.layers, bundle.layers, bundle.auto.layers);
    values.steps = text(choice.steps, steps, bundle.auto.steps);
    values.temperature = choice.temperature === bundle.auto.temperature ? 0 : choice.temperature;
    values.smoothing = choice.smoothing;
    return values;
}

// The commas and quotes of core/concepts.py.
const SYNTAX = /[,\uff0c\u3001\u060c"\u201c\u201d]/;

/** A label as a list of concepts is written. @param {string} label */
function quoted(label) {
    return SYNTAX.test(label) ? `"${label.replaceAll('"', '""')}"` : label;
}
