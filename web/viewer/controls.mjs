/** The sliders: what they change is seen at once, and nothing is run again. */
import { NAMES } from "./colours.mjs";
import { button, icon, make, slide } from "./dom.mjs";
import { Pair } from "./pair.mjs";
import { range, runs } from "./selection.mjs";

const WIDEST = 10; // times the family's temperature, and its inverse

/** @typedef {import("./state.mjs").State} State */

export class Controls {
    /**
     * @param {import("../strings.mjs").Words} words
     * @param {(change: Partial<State>) => void} change
     */
    constructor(words, change) {
        this.words = words;
        this.change = change;
        this.own = 1; // the family's temperature
        this.opacity = this.slider("opacity", 1, 0.01, (opacity) => ({ opacity }));
        this.threshold = this.slider("threshold", 1, 0.01, (threshold) => ({ threshold }));
        this.smoothing = this.slider("smoothing", 4, 0.1, (smoothing) => ({ smoothing }));
        this.temperature = this.slider("temperature", 1, 0.01, (at) => ({
            temperature: Number((this.own * WIDEST ** at).toPrecision(3)),
        }));
        this.temperature.input.min = "-1";
        this.layers = this.pair("layers", (layers) => ({ layers }));
        this.steps = this.pair("steps", (steps) => ({ steps }));
        this.colormap = this.choice("colormap", NAMES, NAMES, (colormap) => ({ colormap }));
        const scales = ["none", "shared", "perConcept"];
        this.scale = this.choice("scale", scales, scales.map((each) => words(each)), (scale) => ({
            scale: /** @type {State["scale"]} */ (scale),
        }));
        this.nearest = make("input", {
            type: "checkbox",
            ca: "nearest",
            onchange: () => change({ nearest: this.nearest.checked }),
        });
        const label = make("label", { class: "check" }, this.nearest, words("tokens"));
        this.scale.row[1] = make("div", { class: "wide" }, this.scale.input, label);
        this.reset = button("reset", words("reset"), () => change(UNSET), icon("reset"));
        this.element = make("div", { class: "panel", ca: "controls" }, ...this.rows(), this.foot());
    }

    rows() {
        const order = [this.opacity, this.threshold, this.colormap, this.scale];
        const decoding = [this.layers, this.steps, this.temperature, this.smoothing];
        this.decoding = decoding.flatMap((each) => each.row);
        return [...order, ...decoding].flatMap((each) => each.row);
    }

    foot() {
        const text = make("span", {}, this.words("reset"));
        this.reset.append(text);
        return make("div", { class: "wide" }, this.reset);
    }

    /**
     * @param {string} name @param {number} max @param {number} step
     * @param {(value: number) => Partial<State>} read
     */
    slider(name, max, step, read) {
        const id = `ca-${name}`;
        const input = make("input", { type: "range", id, ca: name, min: 0, max, step });
        input.addEventListener("input", () => this.change(read(Number(input.value))));
        const output = make("output", { for: id });
        const label = make("label", { for: id }, this.words(name));
        if (name === "threshold") label.title = this.words("thresholdHint");
        return { input, output, row: [label, input, output] };
    }

    /** @param {string} name @param {(positions: number[]) => Partial<State>} read */
    pair(name, read) {
        const title = this.words(name);
        const names = ["first", "last"].map((each) => this.words(each, { name: title }));
        const pair = new Pair(name, names[0], names[1], (first, last) =>
            this.change(read(range(first, last))),
        );
        const output = make("output");
        return { pair, output, row: [make("span", { class: "label" }, title), pair.element, output] };
    }

    /**
     * @param {string} name @param {string[]} values @param {string[]} texts
     * @param {(value: string) => Partial<State>} read
     */
    choice(name, values, texts, read) {
        const id = `ca-${name}`;
        const options = values.map((value, i) => make("option", { value }, texts[i]));
        const input = make("select", { id, ca: name }, ...options);
        input.addEventListener("change", () => this.change(read(input.value)));
        return { input, row: [make("label", { for: id }, this.words(name)), input] };
    }

    /** @param {State} state @param {import("./run.mjs").Run} run */
    update(state, run) {
        const { bundle } = run;
        const choice = run.choice(state);
        const threshold = state.threshold ?? bundle.chosen.threshold ?? 0;
        show(this.opacity, state.opacity, `${Math.round(state.opacity * 100)} %`);
        show(this.threshold, threshold, threshold ? `${(threshold * 100).toFixed(0)} %` : "–");
        this.colormap.input.value = state.colormap;
        this.scale.input.value = state.scale;
        this.nearest.checked = state.nearest;
        for (const each of this.decoding ?? []) each.hidden = !run.decodes;
        if (!run.decodes) return;
        this.own = bundle.auto.temperature;
        const at = Math.log(choice.temperature / this.own) / Math.log(WIDEST);
        show(this.temperature, at, String(Number(choice.temperature.toPrecision(3))));
        show(this.smoothing, choice.smoothing, choice.smoothing ? choice.smoothing.toFixed(1) : "–");
        showPair(this.layers, choice.layers, bundle.layers);
        showPair(this.steps, choice.steps, bundle.steps.map((/** @type {number} */ step) => [step]));
    }
}

/** Everything as the node has it. @type {Partial<State>} */
const UNSET = { threshold: null, smoothing: null, temperature: null, layers: null, steps: null };

/** @param {{input: any, output: any}} slider @param {number} value @param {string} text */
function show({ input, output }, value, text) {
    slide(input, value);
    output.value = text;
}

/** @param {any} row @param {number[]} positions @param {number[][]} entries */
function showPair({ pair, output }, positions, entries) {
    pair.set(positions[0], positions.at(-1), entries.length);
    const parts = runs(positions).map(([first, end]) => {
        const [from, to] = [entries[first][0], entries[end - 1].at(-1)];
        return from === to ? `${from}` : `${from}–${to}`;
    });
    output.value = parts.length > 2 ? `${parts[0]} … ${parts.at(-1)}` : parts.join(", ");
}
