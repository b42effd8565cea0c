/** A range with two thumbs: from the first to the last of a list. */
import { make } from "./dom.mjs";

export class Pair {
    /**
     * @param {string} ca @param {string} first @param {string} last the thumbs' names
     * @param {(first: number, last: number) => void} change
     */
    constructor(ca, first, last, change) {
        this.part = make("div", { class: "part" });
        this.inputs = [first, last].map((label, i) =>
            make("input", {
                type: "range",
                "aria-label": label,
                ca: `${ca}-${i ? "last" : "first"}`,
                oninput: () => this.moved(i),
            }),
        );
        const rail = make("div", { class: "rail" });
        this.element = make("div", { class: "pair", ca }, rail, this.part, ...this.inputs);
        this.change = change;
    }

    /** @param {number} i the thumb that moves; it takes the other one along */
    moved(i) {
        const values = this.inputs.map((input) => Number(input.value));
        if (values[0] > values[1]) values[1 - i] = values[i];
        this.set(values[0], values[1], Number(this.inputs[0].max) + 1);
        this.change(values[0], values[1]);
    }

    /** @param {number} first @param {number} last @param {number} count */
    set(first, last, count) {
        this.inputs.forEach((input, i) => {
            input.max = String(count - 1);
            input.value = String(i ? last : first);
            input.disabled = count < 2;
        });
        // The two thumbs may lie on each other at an end; the one that can still move is above.
        this.inputs[0].style.zIndex = first > (count - 1) / 2 ? "1" : "0";
        const share = (/** @type {number} */ at) => (count > 1 ? (at / (count - 1)) * 100 : 0);
        this.part.style.left = `${share(first)}%`;
        this.part.style.width = `${count > 1 ? share(last) - share(first) : 100}%`;
    }
}
