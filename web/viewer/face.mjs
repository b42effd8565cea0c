/** The viewer's elements and how they lie in each other. */
import { Controls } from "./controls.mjs";
import { button, make } from "./dom.mjs";
import { Frames } from "./frames.mjs";
import { Legend } from "./legend.mjs";
import { Stage } from "./stage.mjs";
import { css } from "./style.mjs";
import { Toolbar } from "./toolbar.mjs";

/**
 * @typedef {object} Acts
 * @property {(change: Partial<import("./state.mjs").State>) => void} change
 * @property {(label: string) => void} pin
 * @property {(label: string | null) => void} hover
 * @property {() => void} paint
 * @property {(view: import("./geometry.mjs").View) => void} view
 * @property {(point: {u: number, v: number} | null, right: boolean) => void} point
 * @property {(point: {u: number, v: number}, right: boolean) => void} click
 * @property {() => void} keep
 * @property {(what: "copy" | "save" | "open" | "download") => void} send
 * @property {() => void} useAsMask
 * @property {(event: KeyboardEvent) => void} key
 */

export class Face {
    /** @param {import("../strings.mjs").Words} words @param {Acts} acts */
    constructor(words, acts) {
        const { change } = acts;
        this.stage = new Stage(words, { ...acts, split: (split) => change({ split }) });
        this.legend = new Legend(words, acts);
        this.controls = new Controls(words, change);
        this.frames = new Frames(words, change);
        this.toolbar = new Toolbar(words, acts);
        const use = button("use-as-mask", words("useAsMaskHint"), acts.useAsMask, words("useAsMask"));
        use.removeAttribute("aria-label");
        use.classList.add("do");
        this.status = make("span", { class: "status", ca: "status", "aria-live": "polite" });
        this.foot = make("div", { class: "bar foot" }, this.status, use);
        const inside = [this.frames, this.controls, this.legend].map((each) => each.element);
        this.below = make("div", { class: "below" }, ...inside);
        const { toolbar, stage } = this;
        const parts = [toolbar.element, stage.element, this.below, this.foot, toolbar.menu];
        const attributes = { tabindex: 0, role: "region", "data-capture-wheel": "true" };
        this.root = make("div", { class: "root" }, ...parts);
        this.element = make("div", { ...attributes, "aria-label": words("viewer"), ca: "viewer" });
        this.element
            .attachShadow({ mode: "open" })
            .append(make("style", {}, css), this.root);
        this.full = false;
        this.listen(acts);
    }

    /** Whether there is something to look at; without it only the stage is there.
     * @param {boolean} full */
    set full(full) {
        this.toolbar.element.hidden = this.below.hidden = this.foot.hidden = !full;
        this.root.classList.toggle("full", full);
    }

    /** Show or hide the controls. @param {boolean} open @returns {number} pixels it takes more */
    open(open) {
        const { element } = this.controls;
        if (element.hidden !== open) return 0;
        const height = element.offsetHeight;
        element.hidden = !open;
        // Beside the picture there is room for them.
        const beside = getComputedStyle(this.root).display === "grid";
        return beside ? 0 : element.offsetHeight - height;
    }

    /** @param {Acts} acts */
    listen(acts) {
        const { element, stage } = this;
        element.addEventListener("keydown", acts.key);
        element.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
            // A click on the picture gives the viewer the keyboard.
            if (event.composedPath().includes(stage.element)) element.focus({ preventScroll: true });
        });
        const wheel = (/** @type {WheelEvent} */ event) => {
            if (event.ctrlKey || event.metaKey || !element.matches(":focus-within")) return;
            event.preventDefault();
            event.stopPropagation();
            stage.wheel(event);
        };
        stage.element.addEventListener("wheel", wheel, { passive: false });
    }
}
