/** From what is looked at to the node's own inputs. */
import { text } from "./selection.mjs";

/**
 * The inputs with which the node puts out the masks that are shown.
 * @param {import("./run.mjs").Run} run @param {import("./state.mjs").State} state
 * @param {string[]} shown
 * @returns {Record<string, string | number>}
 */
export function inputs(run, state, shown) {
    const { bundle } = run;
    const threshold = state.threshold ?? bundle.chosen.threshold ?? 0;
    /** @type {Record<string, string | number>} */
    const values = { concept: shown.map(quoted).join(", "), threshold };
    if (!run.decodes) return values;
    const choice = run.choice(state);
    const steps = bundle.steps.map((/** @type {number} */ step) => [step]);
    values.layers = text(choice.layers, bundle.layers, bundle.auto.layers);
    values.steps = text(choice.steps, steps, bundle.auto.steps);
    values.temperature = choice.temperature === bundle.auto.temperature ? 0 : choice.temperature;
    values.smoothing = choice.smoothing;
    return values;
}

/** A label as a list of concepts is written. @param {string} label */
function quoted(label) {
    return label.includes(",") ? `"${label}"` : label;
}
